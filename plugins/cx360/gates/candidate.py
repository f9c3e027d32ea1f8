"""Candidate: the gate of what was built, before readers may see it.

Here belongs what can be counted about a candidate as a whole, and the order of its check. Each suite below
``expectations/candidate`` is about one public table, or about these facts, all numbers:

    people_rows              profiles with a party record; prospects known by an identifier come and go, and join people
    people_loss_share        1 - people_rows / those of the last publication for the same day or an earlier one
    unattributed_rows        rows that stand for what belongs to nobody
    money_days_different     days and currencies whose profiles plus unattributed are not the booked money
    points_different         points of all entries by as_of - those of profiles plus unattributed
    unattributed_share       of booked amounts, those of accounts without an owner
    keys_not_staged          keys of deliveries not published yet that staging does not hold
    keys_staged_twice        rows of staging beyond one per key (parties: per key and version)
    nps_out_of_range         NPS values beyond -100 and 100
    nps_parts_different      rows where promoters + passives + detractors are not the respondents
    shares_out_of_range      values of columns named _share, and of metrics in shares, beyond 0 and 1
    dates_after_as_of        last events of a profile, recencies and touchpoints later than as_of
    merged_profile_share     of the people published before, those another profile took in; likewise split and renamed
    open_identifiers_growth  identifiers several people hold, to those of the last publication
    largest_person_records   party records of the person who has most
"""

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from cx360 import engines
from cx360.gates import suites
from cx360.gates.report import GateReport, Outcome, Verdict
from cx360.gates.suites import Rule, Suite
from cx360.identity import budget
from cx360.settings import Settings
from cx360.warehouse import EVENT_FEEDS

if TYPE_CHECKING:
    from cx360.engines import Warehouse
    from cx360.gates.checking import Finding

GATE = "candidate"

#: What a key is in staging, by feed; the latter hold fewer keys than arrived: as of a day, or the last snapshot's.
_KEYS = {
    "parties": "party_id, updated_at",
    "accounts": "account_id",
    "transactions": "transaction_id",
    "app_events": "event_id",
    "call_logs": "call_id",
    "survey_responses": "response_id",
    "risk_scores": "score_id",
    "points_entries": "entry_id",
    "survey_invitations": "invitation_id",
    "call_legs": "leg_id",
}
_KEYS_OF_FEWER = {
    "complaints": "complaint_id",
    "outreach": "outreach_id",
    "account_parties": "account_id, party_id",
    "holdings": "holding_id",
    "fx_rates": "rate_date, currency, quote_currency",
}

#: Two facts of one pass over the bank's money.
_MONEY = """
with staged as (
    select business_date, currency, count(*) as transactions, sum(signed_amount) as amount
    from staging.stg_transactions
    where is_booked and business_date <= (select as_of from raw.run)
    group by business_date, currency
),
attributed as (
    select business_date, currency, sum(transaction_count) as transactions,
        sum(credit_amount - debit_amount) as amount, sum(credit_amount + debit_amount) as turnover,
        sum(case when profile_id = 'unattributed' then credit_amount + debit_amount end) as unattributed
    from daily.int_money__daily
    group by business_date, currency
)
select
    count(case when s.amount is distinct from a.amount or s.transactions is distinct from a.transactions then 1 end)
        as money_days_different,
    round(coalesce(sum(a.unattributed), 0) / nullif(sum(a.turnover), 0), 6) as unattributed_share
from staged as s
full join attributed as a on a.business_date = s.business_date and a.currency = s.currency
"""

#: A person or organisation of the masters, among profiles.
_IS_PERSON = "identified_by = 'party'"

_FACTS = {
    "people_rows": f"select count(*) from profile.customer_profile where {_IS_PERSON}",
    "unattributed_rows": """
        select count(*) filter (where profile_type = 'unattributed' and profile_id = 'unattributed')
            + count(*) filter (where (profile_type = 'unattributed') <> (profile_id = 'unattributed'))
        from profile.customer_profile""",
    "points_different": """
        select coalesce((
            select sum(points) from staging.stg_points_entries where business_date <= (select as_of from raw.run)
        ), 0) - coalesce((select sum(points_balance_count) from profile.customer_profile), 0)""",
    "nps_out_of_range": """
        select count(*) from cx.cx_metrics_daily where metric like 'nps%' and value not between -100 and 100""",
    "nps_parts_different": """
        select count(*) from cx.cx_metrics_daily
        where promoter_count is not null and promoter_count + passive_count + detractor_count <> n""",
}

#: The last day of the feed that is behind the others, of those that ever came.
_STALEST = """
select min(last_date) as stalest from (
    select max(business_date) as last_date from staging.stg_transactions
        where business_date <= (select as_of from raw.run)
    union all select max(business_date) from staging.stg_app_events
        where business_date <= (select as_of from raw.run)
    union all select max(business_date) from staging.stg_call_logs
        where business_date <= (select as_of from raw.run)
) as last_dates
"""


def check_candidate(settings: Settings, run_id: str) -> GateReport:
    """Judge the candidate in the warehouse, which is only read, and record what was found.

    Raises:
        GateFailed: a blocking rule failed or could not be checked; what readers see stays as it is.
    """
    from cx360 import ledger
    from cx360.gates import checking, docs

    facts = _facts(settings)
    measured, told = _identity(settings, facts)
    verdicts = []
    for suite in suites.of_candidate(settings):
        try:
            if suite.relation == "facts":
                checked = checking.check_frame(suite, _frame(facts), "candidate")
            else:
                checked = checking.check_table(suite, settings)
        except Exception as error:  # whatever keeps a table from being read at all: its rules could not be checked
            verdicts += [
                _unchecked(rule, f"{suite.relation} cannot be read ({type(error).__name__})") for rule in suite.rules
            ]
            continue
        docs.write(settings, suite.name, checked.result)
        verdicts += [_verdict(suite, rule, facts, checked.findings[rule.name], told) for rule in suite.rules]
    report = GateReport(GATE, 1, verdicts)
    with ledger.session(settings) as session:
        report.record(session, run_id)
        if measured:
            budget.record(session, run_id, measured)
    report.raise_if_blocked()
    return report


def _frame(facts: dict[str, float | None]) -> Any:
    import pandas as pd

    return pd.DataFrame([{"candidate": 1} | facts]).astype(float).astype({"candidate": int})


def _identity(settings: Settings, facts: dict[str, float | None]) -> tuple[dict[str, int], dict[str, str]]:
    """Add the facts of identity; its numbers, and by fact what brought it about."""
    errors = engines.of(settings).errors()
    try:
        with engines.open_warehouse(settings, read_only=True) as db:
            measured, causes = budget.measure(db), budget.causes(db)
            as_of = _number(db, "select as_of from raw.run")
    except errors:
        return {}, {}
    facts |= budget.shares(settings, measured, as_of)
    columns = {
        "merge": "merged_profile_share",
        "split": "split_profile_share",
        "renamed": "renamed_profile_share",
        "largest": "largest_person_records",
    }
    return measured, {columns[change]: text for change, text in causes.items()}


def _verdict(
    suite: Suite, rule: Rule, facts: dict[str, float | None], finding: "Finding", told: dict[str, str]
) -> Verdict:
    if finding.outcome == "could not check":
        return _unchecked(rule, finding.trouble)
    if suite.relation != "facts" or rule.column is None:
        detail = rule.next if finding.outcome == "failed" else None
        return _made(rule, finding.outcome, finding.observed, detail)
    value = facts.get(rule.column)
    if rule.column not in facts or (value is None and rule.without_value is None):
        return _unchecked(rule, f"{rule.column} could not be counted")
    if value is None:
        return _made(rule, "passed", None, rule.without_value)
    detail = rule.next if finding.outcome == "failed" else None
    if detail and rule.column in told:
        detail = f"Causes: {told[rule.column]}. {detail}"
    return _made(rule, finding.outcome, f"{rule.column} {value:.10g}", detail)


def _unchecked(rule: Rule, trouble: str | None) -> Verdict:
    return _made(rule, "could not check", None, f"{trouble}. Mend that and run again; the last publication stays.")


def _made(rule: Rule, outcome: Outcome, observed: str | None, detail: str | None) -> Verdict:
    return Verdict(rule.name, rule.level, outcome, rule.expected, observed, rule.reason, detail, None, "the candidate")


def _facts(settings: Settings) -> dict[str, float | None]:
    """The facts; one with nothing to count is None, one that cannot be counted is missing."""
    facts: dict[str, float | None] = {}
    statements = {name: [sql] for name, sql in _FACTS.items()}
    statements["keys_not_staged"] = [_not_staged(feed, key) for feed, key in _KEYS.items()]
    errors = engines.of(settings).errors()
    try:
        with engines.open_warehouse(settings, read_only=True) as db:
            run = db.query("select as_of, timezone, full_refresh from raw.run").to_pylist()[0]
            statements["keys_staged_twice"] = [
                _twice(feed, key, run["full_refresh"]) for feed, key in (_KEYS | _KEYS_OF_FEWER).items()
            ]
            columns = _public_columns(db)
            statements["shares_out_of_range"] = _shares(columns)
            statements["dates_after_as_of"] = _after_as_of(db, columns, run["timezone"])
            for name, several in statements.items():
                with suppress(*errors):  # one broken fact hides no other
                    facts[name] = _sum(db, several)
            with suppress(*errors):
                counted = db.query(_MONEY).to_pylist()[0]
                facts |= {name: None if number is None else float(number) for name, number in counted.items()}
            with suppress(*errors):
                stalest = _number(db, _STALEST)
                facts["stalest_feed_days"] = (run["as_of"] - stalest).days if stalest else None
    except errors:
        return facts
    before, rows = _people_before(settings, run["as_of"]), facts.get("people_rows")
    if before is None:
        facts["people_loss_share"] = None
    elif rows is not None:
        facts["people_loss_share"] = round(1 - rows / before, 6)
    return facts


def _number(db: "Warehouse", sql: str) -> Any:
    """The one value a statement gives."""
    return db.query(sql)[0][0].as_py()


def _sum(db: "Warehouse", statements: list[str]) -> float | None:
    """The sum of the numbers that statements give; None when all they give is null."""
    found = [_number(db, sql) for sql in statements]
    known = [float(number) for number in found if number is not None]
    return sum(known) if known else None


def _not_staged(feed: str, key: str) -> str:
    same = " and ".join(f"r.{c} is not distinct from s.{c}" for c in key.split(", "))
    return f"""
        select count(*)
        from (
            select distinct {key} from raw.{feed}
            where arrival_number in (select arrival_number from raw.built where not is_settled)
        ) as r
        where not exists (select 1 from staging.stg_{feed} as s where {same})"""


def _twice(feed: str, key: str, everything: bool) -> str:
    staged = f"staging.stg_{feed}"
    if feed in EVENT_FEEDS and not everything:
        staged += f" where {key} in (select event_key from raw.run_scope where feed = '{feed}')"
    return (
        f"select (select count(*) from {staged}) - (select count(*) from (select distinct {key} from {staged}) as keys)"
    )


def _public_columns(db: "Warehouse") -> "list[engines.Column]":
    return [c for c in db.columns("profile", "features", "cx") if not c.table.partition(".")[2].startswith("int_")]


def _shares(columns: "list[engines.Column]") -> list[str]:
    """Counts of shares beyond their range, of every column and metric that says it is one."""
    wrong = [(c.table, f"{c.name} not between 0 and 1") for c in columns if c.name.endswith("_share")]
    return _counts([*wrong, ("cx.cx_metrics_daily", "unit = 'share' and value not between 0 and 1")])


def _after_as_of(db: "Warehouse", columns: "list[engines.Column]", timezone: str) -> list[str]:
    """Counts of last dates and moments of profiles, recencies of features, days of touchpoints, beyond as_of."""
    as_of = "(select as_of from raw.run)"
    wrong = [("profile.customer_timeline", f"business_date > {as_of}")]
    for column in columns:
        if re.search(r"(^|_)last_(\w+_)?(at|date)$", column.name):
            day = db.local_date(column.name, timezone) if column.is_instant else column.name
            wrong.append((column.table, f"{day} > {as_of}"))
        if column.name.endswith("_recency_days"):
            wrong.append((column.table, f"{column.name} < 0"))
    return _counts(wrong)


def _counts(wrong: list[tuple[str, str]]) -> list[str]:
    """Of (table, condition) pairs: one count per table, of each condition its rows meet."""
    tables: dict[str, list[str]] = {}
    for table, condition in wrong:
        tables.setdefault(table, []).append(f"count(case when {condition} then 1 end)")
    return [f"select {' + '.join(counts)} from {table}" for table, counts in tables.items()]


def _people_before(settings: Settings, as_of: Any) -> float | None:
    """People in the files of the newest publication for the same day or an earlier one; None if there are none."""
    import duckdb
    from sqlalchemy import select

    from cx360 import ledger, publish
    from cx360.ledger import Publication

    with ledger.session(settings) as session:
        name = session.scalar(
            select(Publication.parquet_path)
            .where(Publication.as_of <= as_of)
            .order_by(Publication.as_of.desc(), Publication.publication_id.desc())
            .limit(1)
        )
    kept = publish.read_tables(settings, name) if name else []
    profiles = next((table for table in kept if table.full_name == "profile.customer_profile"), None)
    if profiles is None or "identified_by" not in {column.name for column in profiles.columns}:
        return None
    with duckdb.connect(":memory:") as db:
        found = db.execute(f"select count(*) from read_parquet(?) where {_IS_PERSON}", [str(profiles.path)]).fetchall()
    return float(found[0][0]) or None
