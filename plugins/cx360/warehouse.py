"""Warehouse: where the models are built, what they are shown there, and the calls of dbt.

Here belongs which deliveries a run sees and which days it computes anew; how an engine keeps it, in ``engines``. The
warehouse can be thrown away: the lake and the ledger make it again. Tables of schema ``raw``:

    deliveries   the deliveries this run sees
    <feed>       a view over their accepted rows, one per contract
    run_scope    keys of event feeds to compute anew, with the days and accounts that know of them
    blocked_identifiers  tokens of the values that are nobody's, by seed identifier_blocked_values
    text_readings, text_mentions  what the texts of those deliveries say, and of which aspects (``words``)
    run          one row: what this run was told and settled
    built        deliveries that tables of the warehouse may hold; settled ones are published as they are
    built_by     one row: the code_hash they were last published with; none while everything is to be computed
    driver_estimates  drivers of satisfaction of closed quarters, as last estimated (``drivers``)
    audited      one row while what the tables hold has passed the gate of the candidate; any change takes it away
"""

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cx360 import engines, privacy, sources, versions
from cx360.contracts import load
from cx360.identity import blocked
from cx360.settings import PROJECT, Settings
from cx360.sql import literal

if TYPE_CHECKING:
    import pyarrow as pa
    from dbt.contracts.graph.manifest import Manifest
    from dbt.contracts.results import RunResult

    from cx360.engines import Warehouse
    from cx360.ledger import Delivery

DBT_PROJECT = PROJECT / "dbt_project"

#: Feeds whose staging is kept from run to run and computed anew day by day.
EVENT_FEEDS = (
    "transactions",
    "app_events",
    "call_logs",
    "survey_responses",
    "risk_scores",
    "points_entries",
    "survey_invitations",
    "call_legs",
)

#: Tables of schema raw that are kept: Arrow types of their columns; an instant is a moment in UTC.
_KEPT = {
    "deliveries": {
        "arrival_number": "int64",
        "source": "string",
        "feed": "string",
        "delivery_name": "string",
        "delivery_day": "date32",
        "content_hash": "string",
        "lake_path": "string",
        "rows_accepted": "int64",
    },
    "run_scope": {"feed": "string", "event_key": "string", "business_date": "date32", "account_id": "string"},
    "blocked_identifiers": {"identifier_type": "string", "identifier": "string"},
    "text_readings": {
        "feed": "string",
        "arrival_number": "int64",
        "record_key": "string",
        "version_at": "instant",
        "language": "string",
        "sentiment_score": "double",
        "sentiment": "int64",
        "is_angry": "bool",
        "model_name": "string",
        "model_version": "string",
        "lexicon_version": "string",
    },
    "text_mentions": {
        "feed": "string",
        "arrival_number": "int64",
        "record_key": "string",
        "version_at": "instant",
        "aspect": "string",
        "polarity": "int64",
    },
    "built": {"arrival_number": "int64", "is_settled": "bool"},
    "built_by": {"code_hash": "string"},
    "audited": {"run_id": "string"},
    "driver_estimates": {
        "metric": "string",
        "quarter_date": "date32",
        "driver": "string",
        "direction": "string",
        "effect_points": "double",
        "effect_low_points": "double",
        "effect_high_points": "double",
        "elasticity_at_mean": "double",
        "importance_share": "double",
        "importance_low_share": "double",
        "importance_high_share": "double",
        "r_squared": "double",
        "driver_mean": "double",
        "n_answers": "int64",
        "n_persons": "int64",
        "linked_share": "double",
        "rows_hash": "string",
    },
    "run": {
        "run_id": "string",
        "as_of": "date32",
        "known_at": "int64",
        "decisions_known_at": "int64",
        "manifest_hash": "string",
        "code_hash": "string",
        "full_refresh": "bool",
        "timezone": "string",
        "reporting_currency": "string",
    },
}


class DbtFailed(Exception):
    """Models or tests failed; the message names them and what they said."""


class NothingToBuild(ValueError):
    """No delivery may be seen yet."""


class OtherKey(Exception):
    """Tokens of several keys cannot be compared."""


class NotAudited(Exception):
    """A candidate that did not pass its gate was to be published."""


@dataclass(frozen=True)
class Opened:
    """What a run was told and settled on when the warehouse was opened for it.

    Attributes:
        run_id: of the run.
        as_of: business day the profiles speak for.
        known_at: highest arrival number that may be seen.
        decisions_known_at: highest decision number that may be seen.
        manifest_hash: SHA-256 over the deliveries seen and their contents.
        code_hash: SHA-256 over the dbt project and the settings its tables depend on.
        full_refresh: every day is computed anew.
        timezone: the bank's.
        reporting_currency: amounts are converted to.
    """

    run_id: str
    as_of: date
    known_at: int
    decisions_known_at: int
    manifest_hash: str
    code_hash: str
    full_refresh: bool
    timezone: str
    reporting_currency: str


def open_run(
    settings: Settings, run_id: str, as_of: date | None, known_at: int | None, full_refresh: bool = False
) -> dict[str, Any]:
    """Show the models the deliveries a run sees, and settle what it computes anew.

    That is every key of a delivery that came or went since the last publication, and the days and accounts any version
    of such a key is of. What a blocked run built is taken up by the next one.

    Args:
        settings: of the deployment.
        run_id: of the run.
        as_of: None for the latest business date of any feed.
        known_at: None for everything that arrived.
        full_refresh: compute everything anew whatever is known.

    Returns:
        What was settled, and each feed's last business date.

    Raises:
        NothingToBuild: no as_of is given and no delivery may be seen.
        OtherKey: deliveries were tokenised with another key.
    """
    known = _known(settings, known_at)
    deliveries = known.deliveries
    _require_one_key(settings, deliveries)
    dates = {feed: max(days) for feed, days in _dates_by_feed(deliveries).items()}
    if as_of is None:
        if not dates:
            raise NothingToBuild(
                "no delivery has passed its gate yet, so there is no business date to build for: ops.gate_results and"
                " ops.deliveries say what keeps them out"
            )
        as_of = max(dates.values())
    bank = sources.bank(settings)
    code_hash = _code_hash(settings, bank)
    with engines.open_warehouse(settings) as db:
        _create(db)
        full_refresh = full_refresh or _built_by(db) != code_hash
        run = Opened(
            run_id=run_id,
            as_of=as_of,
            known_at=known.known_at,
            decisions_known_at=known.decisions_known_at,
            manifest_hash=versions.of_texts(
                f"{d.arrival_number} {d.content_hash} {d.mapping_hash}" for d in deliveries
            ),
            code_hash=code_hash,
            full_refresh=full_refresh,
            timezone=bank.timezone,
            reporting_currency=bank.reporting_currency,
        )
        with db.transaction():  # where there are none: without a run nothing is built, and it is written last
            _write(db, "audited")
            _write(db, "run")
            _show(db, settings, deliveries)
            seeds = project(settings) / "seeds"
            _write(db, "blocked_identifiers", blocked.tokens(settings, seeds / "identifier_blocked_values.csv"))
            days = _settle_scope(db, settings, deliveries, full_refresh)
            if full_refresh:  # what it builds is of no published version, also if seeds or code are taken back
                _write(db, "built_by")
            _write(db, "run", [tuple(vars(run).values())])
    return {
        "as_of": as_of.isoformat(),
        "known_at": run.known_at,
        "deliveries": len(deliveries),
        "days_to_compute": "all" if full_refresh else days,
        "last_business_dates": {feed: day.isoformat() for feed, day in sorted(dates.items())},
    }


def require_parties(settings: Settings, known_at: int | None) -> None:
    """Refuse a build without masters, whose tables would not hold together.

    Raises:
        NothingToBuild: no delivery of parties may be seen.
    """
    if not any(delivery.feed == "parties" for delivery in _known(settings, known_at).deliveries):
        raise NothingToBuild(
            "no delivery of parties may be read, so there are no people to build: none came, or its gate blocks it."
            " cx360 status says which; when one is in, run this again"
        )


def opened(settings: Settings) -> Opened:
    """The run the warehouse is open for.

    Raises:
        LookupError: it was never opened.
    """
    with engines.open_warehouse(settings, read_only=True) as db:
        rows = db.query("select * from raw.run").to_pylist()
    if not rows:
        raise LookupError("the warehouse is not open for a run: run the step open_warehouse first")
    return Opened(**rows[0])


def mark_audited(settings: Settings) -> None:
    """What the tables hold now has passed the gate of the candidate."""
    with engines.open_warehouse(settings) as db:
        db.write("raw.audited", db.query("select run_id from raw.run"))


def require_audited(settings: Settings) -> None:
    """Let only an audited candidate pass.

    Raises:
        NotAudited: something was built since the gate of the candidate last opened, or it never did.
    """
    with engines.open_warehouse(settings, read_only=True) as db:
        if not db.query("select run_id from raw.audited").num_rows:
            raise NotAudited("the candidate has not passed its gate since it was built: run the step check_candidate")


def repeated_rows(settings: Settings) -> dict[str, int]:
    """Accepted rows of the deliveries seen that lost to another delivery, by feed."""
    with engines.open_warehouse(settings, read_only=True) as db:
        found = db.query("select feed, repeated_count from staging.int_deliveries__repeats order by feed")
    return {row["feed"]: row["repeated_count"] for row in found.to_pylist()}


def identifier_files(settings: Settings, feed: str | None = None) -> list[str]:
    """Files of the lake with the values behind the tokens of the deliveries this run sees, of one feed or all."""
    from sqlalchemy import select

    from cx360 import ledger

    of_feed = f" where feed = '{feed}'" if feed else ""
    with engines.open_warehouse(settings, read_only=True) as db:
        arrivals = db.query(f"select arrival_number from raw.deliveries{of_feed}")["arrival_number"].to_pylist()
    path = ledger.Delivery.identifiers_path
    with ledger.session(settings) as session:
        seen = select(path).where(path.is_not(None), ledger.Delivery.arrival_number.in_(arrivals))
        return sorted({str(settings.lake / str(name)) for name in session.scalars(seen)})


def identity_changes(settings: Settings) -> list[dict[str, Any]]:
    """What became of published profiles in this run, and why."""
    with engines.open_warehouse(settings, read_only=True) as db:
        return db.query("select * from identity.identity_changes").to_pylist()


def settle(settings: Settings) -> None:
    """After the publication's commit: what this run built is the base of the next one."""
    with engines.open_warehouse(settings) as db, db.transaction():
        db.write("raw.built", db.query("select arrival_number, true as is_settled from raw.deliveries"))
        db.write("raw.built_by", db.query("select code_hash from raw.run"))
        _write(db, "run_scope")


def dbt(settings: Settings, step: str, select: str | None = None, exclude: str | None = None) -> dict[str, Any]:
    """Build models, seeds and their tests by one in-process call of dbt; what became of each is in ``ops.dbt_results``.

    Args:
        settings: of the deployment.
        step: of the pipeline that calls.
        select: dbt's selection; None for all.
        exclude: what to leave out of it.

    Returns:
        Counts of models built and tests passed; by model its rows, seconds and tests passed.

    Raises:
        DbtFailed: names what failed and says where dbt's log is.
    """
    import json

    from dbt.cli.main import dbtRunner

    from cx360 import dbt_results, ledger

    run = opened(settings)
    with engines.open_warehouse(settings) as db:
        _write(db, "audited")
    folder = settings.home / "dbt"
    os.environ |= {
        "DBT_TARGET_PATH": str(folder / "target"),
        "DBT_LOG_PATH": str(folder / "logs"),
    }
    variables = {
        "as_of": run.as_of.isoformat(),
        "known_at": run.known_at,
        "timezone": run.timezone,
        "reporting_currency": run.reporting_currency,
        "lake": str(settings.lake),
    }
    # dbt's log names every node and says what failed; to write down each step on the way cost as much as the steps
    arguments = ["--quiet", "--no-version-check", "--log-level-file", "info"]
    arguments += ["build", "--exclude-resource-type", "unit_test"]
    folder_of_dbt = str(project(settings))
    arguments += ["--project-dir", folder_of_dbt, "--profiles-dir", folder_of_dbt]
    arguments += ["--target", settings.engine, "--vars", json.dumps(variables)]
    arguments += ["--select", *select.split()] if select else []
    arguments += ["--exclude", *exclude.split()] if exclude else []
    arguments += ["--full-refresh"] if run.full_refresh else []
    with engines.of(settings).dbt(settings) as environment, _parsed(settings) as manifest:
        os.environ |= environment
        # what was parsed is in manifest.json; to write that again after every call costs as much as fifty models
        arguments += ["--no-write-json"] if manifest else []
        result = dbtRunner(manifest=manifest).invoke(arguments)
    log = folder / "logs" / "dbt.log"
    if result.exception is not None:
        raise DbtFailed(f"dbt could not start: {result.exception}. Its log is {log}.")
    outcomes = list(result.result)
    with ledger.session(settings) as session:
        by_model = dbt_results.record(session, run.run_id, step, outcomes, _row_counts(settings, outcomes))
    return _counts(outcomes, log) | {"by_model": by_model}


@contextmanager
def _parsed(settings: Settings) -> "Iterator[Manifest | None]":
    """The project as dbt parsed it last, if it is the same still; dbt parses it when given None.

    dbt itself parses anew whenever a variable has changed, and ours do every day. No configuration, reference or
    description depends on them: models and tests are rendered with those of the call.
    """
    from dbt.contracts.graph.manifest import Manifest
    from dbt.version import __version__

    folder = settings.home / "dbt"
    kept, mark = folder / "target" / "partial_parse.msgpack", folder / "parsed"
    files = sorted(path for path in project(settings).rglob("*") if path.is_file())
    contents = (f"{path} {hashlib.sha256(path.read_bytes()).hexdigest()}" for path in files)
    key = versions.of_texts((__version__, settings.engine, *contents))
    if kept.exists() and mark.exists() and mark.read_text() == key:
        yield Manifest.from_msgpack(kept.read_bytes())
        return
    mark.unlink(missing_ok=True)  # else a mark would outlive what it is of, were this process killed
    yield None
    if kept.exists():
        mark.write_text(key)


def _row_counts(settings: Settings, outcomes: "list[RunResult]") -> dict[str, int]:
    """Rows of the tables that were built, by dbt's unique id."""
    tables = {
        r.node.unique_id: r.node.relation_name
        for r in outcomes
        if str(r.status) == "success" and r.node.relation_name and r.node.config.materialized != "view"
    }
    if not tables:
        return {}
    selects = (f"select '{node}' as node, count(*) as n from {table}" for node, table in tables.items())
    with engines.open_warehouse(settings, read_only=True) as db:
        counted = db.query(" union all ".join(selects))
    return dict(zip(counted["node"].to_pylist(), counted["n"].to_pylist(), strict=True))


def _counts(outcomes: "list[RunResult]", log: Path) -> dict[str, Any]:
    failed = [r for r in outcomes if str(r.status) in ("error", "fail", "runtime error")]
    if failed:
        said = "; ".join(f"{r.node.name}: {(r.message or str(r.status)).strip()[:300]}" for r in failed[:10])
        raise DbtFailed(f"{len(failed)} of {len(outcomes)} nodes failed: {said}. dbt's log is {log}.")
    kinds = [str(r.node.resource_type) for r in outcomes]
    return {
        "models": kinds.count("model"),
        "seeds": kinds.count("seed"),
        "tests": kinds.count("test"),
        "warnings": [r.node.name for r in outcomes if str(r.status) == "warn"],
    }


@dataclass(frozen=True)
class _Known:
    """What a run knows: arrivals up to ``known_at``, the deliveries of them it may see, the last decision of them."""

    known_at: int
    deliveries: list["Delivery"]
    decisions_known_at: int


def _known(settings: Settings, known_at: int | None) -> _Known:
    """What is known now, or was at an earlier arrival."""
    from sqlalchemy import func, select

    from cx360 import ledger, visibility

    delivery, decision = ledger.Delivery.arrival_number, ledger.Decision.decision_number
    with ledger.session(settings) as session:
        if known_at is None:
            known_at = max(session.scalar(select(func.max(number))) or 0 for number in (delivery, decision))
        arrivals = visibility.visible_arrivals(session, settings, known_at)
        deliveries = session.scalars(select(ledger.Delivery).where(delivery.in_(arrivals)).order_by(delivery))
        decided = session.scalar(select(func.max(decision)).where(decision <= known_at))
        return _Known(known_at, list(deliveries), decided or 0)


def _require_one_key(settings: Settings, deliveries: list["Delivery"]) -> None:
    """Refuse deliveries whose tokens were made with another key: the same phone would be two.

    Raises:
        OtherKey: names the keys.
    """
    ours = privacy.key_id(settings)
    if others := sorted({d.token_key for d in deliveries} - {ours}):
        raise OtherKey(
            f"the lake holds tokens of key {', '.join(others)} and this deployment has key {ours}: bring back the key"
            " (CX360_TOKEN_KEY, or keys/token below CX360_HOME), or land everything anew into an empty home"
        )


def _dates_by_feed(deliveries: list["Delivery"]) -> dict[str, list[date]]:
    dates: dict[str, list[date]] = {}
    for delivery in deliveries:
        if delivery.event_date_max is not None:
            # a row dated after its delivery is wrong, and must not move the day everything is built for
            dates.setdefault(delivery.feed, []).append(min(delivery.event_date_max, delivery.delivery_day))
    return dates


def kept_schema(table: str) -> "pa.Schema":
    """Columns of a kept table of schema raw."""
    import pyarrow as pa

    kinds = _KEPT[table].items()
    return pa.schema(
        [(name, pa.timestamp("us", "UTC") if kind == "instant" else pa.type_for_alias(kind)) for name, kind in kinds]
    )


def _write(db: "Warehouse", table: str, rows: Iterable[tuple[Any, ...]] = ()) -> None:
    """Make a kept table hold these rows; none empties it."""
    import pyarrow as pa

    schema = kept_schema(table)
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    arrays = [pa.array(column, kind) for column, kind in zip(columns, schema.types, strict=True)]
    db.write(f"raw.{table}", pa.table(arrays, schema))


def _create(db: "Warehouse") -> None:
    for table in _KEPT:
        if not db.exists(f"raw.{table}"):
            _write(db, table)


def _built_by(db: "Warehouse") -> str | None:
    rows = db.query("select code_hash from raw.built_by").to_pylist()
    return str(rows[0]["code_hash"]) if rows else None


def _show(db: "Warehouse", settings: Settings, deliveries: list["Delivery"]) -> None:
    """``raw.deliveries`` and what it makes of ``raw.<feed>``."""
    rows = [
        (
            d.arrival_number,
            d.source,
            d.feed,
            d.delivery_name,
            d.delivery_day,
            d.content_hash,
            str(settings.lake / str(d.lake_path)),
            d.rows_accepted,
        )
        for d in deliveries
    ]
    _write(db, "deliveries", rows)
    db.show_feeds(settings)


def _settle_scope(db: "Warehouse", settings: Settings, deliveries: list["Delivery"], full_refresh: bool) -> int:
    """``raw.run_scope`` and ``raw.built``; returns the days in scope."""
    import pyarrow as pa

    visible = {d.arrival_number for d in deliveries}
    known = db.query("select arrival_number, is_settled from raw.built").to_pylist()
    built = {row["arrival_number"]: row["is_settled"] for row in known}
    settled = set() if full_refresh else {n for n, is_settled in built.items() if is_settled}
    changed = (visible - settled) | (set(built) - visible)
    found = [kept_schema("run_scope").empty_table()]
    for feed in EVENT_FEEDS if not full_refresh else ():
        if paths := _lake_files(settings, feed, changed):
            found.append(_scope_of_feed(db, settings, feed, paths).cast(kept_schema("run_scope")))
    scope = pa.concat_tables(found)
    db.write("raw.run_scope", scope)
    held = sorted(visible | set(built))
    _write(db, "built", [(number, number in settled and number in visible) for number in held])
    return int(scope.group_by(["feed", "business_date"]).aggregate([]).num_rows)


def _scope_of_feed(db: "Warehouse", settings: Settings, feed: str, paths: list[str]) -> "pa.Table":
    """Keys of the files' rows; day and account of these rows and of every other version of their keys.

    A correction may have moved a row to another day or account, and takes it from where it was.
    """
    contract = load(settings)[feed]
    (key,) = (db.identifier(k) for k in contract.key)
    assert contract.event_time is not None  # every event feed has one
    day = db.identifier(contract.event_time)
    if contract.column(contract.event_time).type == "timestamptz":
        day = db.local_date(day, sources.bank(settings).timezone)
    account = (
        "account_id" if any(name == "account_id" for name, _, _ in contract.lake_columns) else "cast(null as string)"
    )
    columns = f"{literal(feed)} as feed, {key} as event_key, {day} as business_date, {account} as account_id"
    rows = db.files(contract, paths)
    return db.query(f"""
        select {columns} from {rows}
        union
        select {columns} from raw.{db.identifier(feed)} where {key} in (select {key} from {rows})
    """)


def _lake_files(settings: Settings, feed: str, arrivals: set[int]) -> list[str]:
    """Files of some deliveries of a feed, also of ones that are not visible any more."""
    from sqlalchemy import select

    from cx360 import ledger

    with ledger.session(settings) as session:
        found = session.scalars(
            select(ledger.Delivery.lake_path).where(
                ledger.Delivery.feed == feed,
                ledger.Delivery.lake_path.is_not(None),
                ledger.Delivery.arrival_number.in_(arrivals),
            )
        )
        return sorted({str(settings.lake / str(path)) for path in found})


def _code_hash(settings: Settings, bank: sources.Bank) -> str:
    """Changes when kept tables would come out differently: models, seeds, time zone, currency, DuckDB's version."""
    files = versions.of_files(settings, "dbt_project", "contracts")
    return versions.of_texts((bank.model_dump_json(), version("duckdb"), files))


def project(settings: Settings) -> Path:
    """The dbt project: the shipped one, or a copy of it below home with the bank's own files over it."""
    own = settings.home / "config" / "dbt_project"
    if not own.exists():
        return DBT_PROJECT
    copy = settings.home / "dbt" / "project"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(DBT_PROJECT, copy, ignore=shutil.ignore_patterns("target", "logs"))
    shutil.copytree(own, copy, dirs_exist_ok=True)
    return copy
