"""Facts: what can be counted about a delivery as a whole, one row of numbers per delivery.

Here belongs the counting, in DuckDB over the accepted rows in the lake and what the ledger says of them. Judging
the numbers belongs in the suites. No fact is a value of a row: there is nothing personal in them.

Facts, all numbers, null where there is nothing to count:

    is_readable                       1, or 0 when no row could be taken
    rows_in                           records in the file
    first_rows_accepted               accepted rows, on a source's first delivery of the feed only
    quarantined_share, repeated_share of rows_in
    conservation_difference           rows in - accepted - repeated - quarantined - suppressed
    money_difference                  the same for money: the largest over currencies
    control_rows_difference           rows in - rows the source's control total says
    control_amount_difference         amounts in - amount the source's control total says
    stored_rows_difference            rows in the lake - accepted rows in the ledger
    stored_amount_difference          amounts in the lake - accepted amounts in the ledger
    repeated_keys                     accepted rows beyond one per key, of changes per key and version
    volume_ratio                      rows of the busiest business date / median of that over the source's last 20
                                      deliveries not blocked (a history file covers a month, a daily one a day)
    snapshot_shrink_share             1 - accepted rows of the delivery day / those of the snapshot day before
    days_ahead                        last event date - delivery day
    ahead_share                       rows dated later than the day after the delivery
    late_share                        rows dated over 35 days before the delivery; null on a source's first day,
                                      which brings the history
    <column>_null_share               accepted rows without a value in an optional column
    <token>_invalid_share             tokens of values that could not be normalised (no valid phone, say)
    no_subject_share                  rows that name nobody: no party and no identifier
    known_<column>_share              rows whose reference is in the master, of those that have one

A share with ``_low`` or ``_high`` behind it is the end of its 95 % Wilson (1927) interval: with few rows it says
what can be said for sure, so that one bad row of three blocks nothing.
"""

from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from cx360.contracts import Contract, arrow_type
from cx360.ledger import Conservation, Delivery
from cx360.rows import row_key
from cx360.settings import Settings

if TYPE_CHECKING:
    import pandas as pd
    from duckdb import DuckDBPyConnection

#: References of a feed into masters: column -> (master feed, its column).
REFERENCES: dict[str, dict[str, tuple[str, str]]] = {
    "account_parties": {"account_id": ("accounts", "account_id"), "party_id": ("parties", "party_id")},
    "holdings": {"account_id": ("accounts", "account_id"), "party_id": ("parties", "party_id")},
    "transactions": {"account_id": ("accounts", "account_id")},
    "app_events": {"party_id": ("parties", "party_id")},
    "call_logs": {"party_id": ("parties", "party_id")},
    "survey_responses": {"party_id": ("parties", "party_id")},
    "complaints": {"party_id": ("parties", "party_id")},
    "risk_scores": {"party_id": ("parties", "party_id")},
    "outreach": {"party_id": ("parties", "party_id")},
    "points_entries": {"party_id": ("parties", "party_id")},
    "survey_invitations": {"party_id": ("parties", "party_id")},
}

#: Columns of which at least one says whom an event is about.
SUBJECTS: dict[str, tuple[str, ...]] = {
    "app_events": ("party_id", "app_user_token", "device_token"),
    "call_logs": ("party_id", "phone_token"),
    "survey_responses": ("party_id", "contact_token"),
    "complaints": ("party_id", "phone_token"),
    "survey_invitations": ("party_id", "contact_token"),
}

#: Columns of the ledger the facts rest on, and what is made of a delivery's control totals: name -> SQL type.
_SAID = {
    "arrival_number": "bigint",
    "source": "varchar",
    "delivery_name": "varchar",
    "delivery_day": "date",
    "rows_in": "bigint",
    "rows_accepted": "bigint",
    "rows_repeated": "bigint",
    "rows_quarantined": "bigint",
    "event_date_max": "date",
    "busiest_day_rows": "bigint",
}
_EXPECTED = {"lake_file": "varchar", "expected_rows": "bigint", "expected_amount": "decimal(38,6)"}

_WILSON = """
create macro wilson(hits, n, side) as case when n > 0 then round(
    (hits / n + 1.959964 ^ 2 / (2 * n)
        + side * 1.959964 * sqrt(hits / n * (1 - hits / n) / n + (1.959964 / (2 * n)) ^ 2))
    / (1 + 1.959964 ^ 2 / n), 6) end;
create macro share(hits, n) as case when n > 0 then round(hits / n, 6) end;
"""

_LEDGER_FACTS = """
ledger_facts as (
    select
        arrival_number,
        1 as is_readable,
        rows_in,
        case when is_first then rows_accepted end as first_rows_accepted,
        share(rows_quarantined, rows_in) as quarantined_share,
        wilson(rows_quarantined, rows_in, -1) as quarantined_share_low,
        share(rows_repeated, rows_in) as repeated_share,
        conservation_difference::double as conservation_difference,
        money_difference::double as money_difference,
        rows_in - expected_rows as control_rows_difference,
        (amount_in - expected_amount)::double as control_amount_difference,
        round(rows_per_day / nullif(history_median, 0), 4) as volume_ratio,
        round(1 - day_rows / nullif(day_rows_before, 0), 6) as snapshot_shrink_share,
        event_date_max - delivery_day as days_ahead
    from deliveries
)"""


@dataclass(frozen=True)
class Evidence:
    """What the ledger knows of one feed's deliveries.

    Attributes:
        contract: of the feed.
        deliveries: to be judged, in order of arrival.
        conservation: their rows and money.
        history: the feed's readable deliveries that no gate shut out, those to be judged among them.
        masters: lake paths of every landed delivery of the masters this feed refers to, by feed.
    """

    contract: Contract
    deliveries: list[Delivery]
    conservation: list[Conservation]
    history: list[Delivery]
    masters: dict[str, list[str]]


def gather(settings: Settings, evidence: Evidence) -> "pd.DataFrame":
    """The facts of readable deliveries of one feed, one row each, in order of arrival.

    Raises:
        duckdb.Error: a file of the lake cannot be read.
    """
    import duckdb

    contract = evidence.contract
    with closing(duckdb.connect()) as db:
        db.execute(f"set TimeZone = 'UTC'; set threads = {settings.threads}; {_WILSON}")
        db.execute(f"set memory_limit = '{settings.memory_limit}'")
        _ledger(db, settings, evidence)
        _known(db, settings, evidence)
        counted, shares = _measures(contract, known=set(evidence.masters))
        files = sorted({str(settings.lake / str(d.lake_path)) for d in evidence.deliveries})
        columns = ", ".join(f"{sql} as {name}" for name, sql in counted.items())
        facts = ", ".join(f"{sql} as {name}" for name, sql in shares.items())
        frame: pd.DataFrame = db.execute(
            f"""with counted as (
                select d.arrival_number, {columns}
                from deliveries as d left join read_parquet($files, filename = 'lake_file') as f
                    on f.lake_file = d.lake_file
                group by d.arrival_number
            ), {_LEDGER_FACTS}
            select l.*, {facts}
            from ledger_facts as l
            inner join deliveries as d using (arrival_number)
            inner join counted as c using (arrival_number)
            order by l.arrival_number""",
            {"files": files},
        ).df()
        return frame


def _said(settings: Settings, delivery: Delivery) -> dict[str, Any]:
    """What the ledger says of one delivery; its name only serves to tell files apart."""
    expected = delivery.expected or {}
    amount = expected.get("amount")
    return {name: getattr(delivery, name) for name in _SAID} | {
        "lake_file": str(settings.lake / str(delivery.lake_path)),
        "expected_rows": expected.get("rows"),
        "expected_amount": None if amount is None else Decimal(str(amount)),
    }


def _ledger(db: "DuckDBPyConnection", settings: Settings, evidence: Evidence) -> None:
    """Tables of what the ledger says: deliveries, with totals and history joined."""
    import pyarrow as pa

    said = pa.Table.from_pylist(
        [_said(settings, d) for d in evidence.history],
        schema=pa.schema([(name, arrow_type(kind)) for name, kind in (_SAID | _EXPECTED).items()]),
    )
    judged = pa.table({"arrival_number": pa.array([d.arrival_number for d in evidence.deliveries], pa.int64())})
    names = ("arrival_number", "measure", "total_in", "accepted", "repeated", "quarantined", "suppressed")
    money = pa.decimal128(38, 6)
    types = [pa.int64(), pa.string(), *[money] * 5]
    totals = pa.table(
        {
            name: pa.array([getattr(row, name) for row in evidence.conservation], kind)
            for name, kind in zip(names, types, strict=True)
        }
    )
    for name, table in {"said": said, "judged": judged, "totals": totals}.items():
        db.register(name, table)
    snapshot = "true" if evidence.contract.delivery == "snapshot" else "false"
    db.execute(
        f"""create temp table deliveries as
        with balanced as (
            select *, total_in - accepted - repeated - quarantined - suppressed as difference from totals
        ),
        summed as (
            select
                arrival_number,
                max(abs(difference)) filter (measure = 'rows') as conservation_difference,
                max(abs(difference)) filter (measure <> 'rows') as money_difference,
                sum(total_in) filter (measure <> 'rows') as amount_in,
                sum(accepted) filter (measure <> 'rows') as amount_accepted
            from balanced group by arrival_number
        ),
        sized as (
            select *, coalesce(busiest_day_rows, rows_in) as rows_per_day from said
        ),
        past as (
            select
                arrival_number,
                rows_per_day,
                row_number() over (partition by source order by arrival_number) = 1 as is_first,
                delivery_day = min(delivery_day) over (partition by source) as is_history,
                median(rows_per_day) over (
                    partition by source order by arrival_number rows between 20 preceding and 1 preceding
                ) as history_median
            from sized
        ),
        latest as (
            select * from said qualify row_number() over (
                partition by source, delivery_day, delivery_name order by arrival_number desc) = 1
        ),
        contents as (
            select distinct source, delivery_day, lake_file, rows_accepted from latest
        ),
        days as (
            select source, delivery_day, sum(rows_accepted) as day_rows,
                lag(sum(rows_accepted)) over (partition by source order by delivery_day) as day_rows_before
            from contents group by source, delivery_day
        )
        select s.*, p.is_first, p.is_history, p.rows_per_day, p.history_median, t.* exclude (arrival_number),
            case when {snapshot} then days.day_rows::double end as day_rows,
            case when {snapshot} then days.day_rows_before::double end as day_rows_before
        from said as s
        semi join judged using (arrival_number)
        inner join past as p using (arrival_number)
        left join summed as t using (arrival_number)
        left join days on days.source = s.source and days.delivery_day = s.delivery_day"""
    )


def _known(db: "DuckDBPyConnection", settings: Settings, evidence: Evidence) -> None:
    """A table of known keys per master that ever came."""
    for master, column in sorted(set(REFERENCES.get(evidence.contract.feed, {}).values())):
        if master in evidence.masters:
            files = [str(settings.lake / path) for path in evidence.masters[master]]
            db.execute(
                f"create temp table known_{master} as select distinct {column} as key from read_parquet($files)",
                {"files": files},
            )


def _measures(contract: Contract, known: set[str]) -> tuple[dict[str, str], dict[str, str]]:
    """What is counted over accepted rows ``f``, and the facts that follow from it: name -> SQL."""
    keys = ", ".join(f"f.{name}" for name in row_key(contract))
    counted = {
        "stored": "count(f.lake_file)",
        "keys": f"count(distinct row({keys})) filter (f.lake_file is not null)",
    }
    facts = {
        "stored_rows_difference": "c.stored - d.rows_accepted",
        "repeated_keys": "c.stored - c.keys",
    }
    if contract.money:
        counted["amount"] = f"coalesce(sum(f.{contract.money['amount']}), 0)"
        facts["stored_amount_difference"] = "(c.amount - coalesce(d.amount_accepted, 0))::double"
    parts = (_dates(contract), _optional(contract), _subjects(contract), _references(contract, known))
    for more_counted, more_facts in parts:
        counted |= more_counted
        facts |= more_facts
    return counted, facts


def _dates(contract: Contract) -> tuple[dict[str, str], dict[str, str]]:
    if not contract.event_time:
        return {}, {}
    day = f"f.{contract.event_time}"
    if contract.column(contract.event_time).type == "timestamptz":
        day = f"{day}::date"  # UTC: the limits are whole days away
    return {
        "dated": f"count({day})",
        "ahead": f"count(*) filter ({day} > d.delivery_day + 1)",
        "late": f"count(*) filter ({day} < d.delivery_day - 35)",
    }, {
        "ahead_share": "share(c.ahead, c.dated)",
        "ahead_share_low": "wilson(c.ahead, c.dated, -1)",
        "late_share": "case when not d.is_history then share(c.late, c.dated) end",
    }


def _optional(contract: Contract) -> tuple[dict[str, str], dict[str, str]]:
    required = {c.token or c.name for c in contract.columns if c.required} | set(contract.key)
    optional = [name for name, _, _ in contract.lake_columns if name not in required]
    tokens = [c.token for c in contract.columns if c.token]
    counted = {f"nulls_{name}": f"count(*) filter (f.{name} is null and f.lake_file is not null)" for name in optional}
    counted |= {f"invalid_{name}": f"count(*) filter (f.{name} like '%?:%')" for name in tokens}
    facts = {f"{name}_null_share": f"share(c.nulls_{name}, c.stored)" for name in optional}
    facts |= {
        f"{name}_invalid_share": f"share(c.invalid_{name}, c.stored - c.nulls_{name})"
        for name in tokens
        if name in optional
    }
    return counted, facts


def _subjects(contract: Contract) -> tuple[dict[str, str], dict[str, str]]:
    if contract.feed not in SUBJECTS:
        return {}, {}
    subject = ", ".join(f"f.{name}" for name in SUBJECTS[contract.feed])
    counted = {"nobody": f"count(*) filter (coalesce({subject}) is null and f.lake_file is not null)"}
    return counted, {"no_subject_share": "share(c.nobody, c.stored)"}


def _references(contract: Contract, known: Iterable[str]) -> tuple[dict[str, str], dict[str, str]]:
    counted: dict[str, str] = {}
    facts: dict[str, str] = {}
    for column, (master, _) in REFERENCES.get(contract.feed, {}).items():
        name = f"known_{column}"
        if master in known:
            counted[f"given_{column}"] = f"count(f.{column})"
            counted[name] = f"count(*) filter (f.{column} in (select key from known_{master}))"
            facts[f"{name}_share"] = f"share(c.{name}, c.given_{column})"
            facts[f"{name}_share_high"] = f"wilson(c.{name}, c.given_{column}, 1)"
        else:
            facts[f"{name}_share"] = facts[f"{name}_share_high"] = "null::double"
    return counted, facts
