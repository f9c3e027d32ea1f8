"""The ledger: what arrived, what became of it, what was decided, checked and published.

Append-only rows in schema ``ops`` of the serving PostgreSQL. The insert into ``deliveries`` is the only commit of
a landing: a file of the lake that no delivery names does not exist. Nothing personal is ever written here.

Here belong the tables of ``ops``, sessions on them and the running of migrations (``migrations/``). What a row
means to landing, gates or publication belongs there; where the database is, in ``postgres``.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from threading import Lock
from typing import Any

from sqlalchemy import (
    BigInteger,
    Date,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    MetaData,
    Numeric,
    Sequence,
    String,
    Text,
    create_engine,
    func,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from cx360 import postgres
from cx360.settings import Settings

MIGRATIONS = Path(__file__).parent / "migrations"

#: Key of the advisory lock under which a database is migrated; any number that nobody else uses.
MIGRATION_LOCK = 3_600_360_001

_engines: dict[tuple[int, str], Engine] = {}
_engines_lock = Lock()


class Base(DeclarativeBase):
    """Tables of schema ``ops``; the docstring of each is its comment in the database."""

    metadata = MetaData(schema="ops")

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.__table__.comment = " ".join((cls.__doc__ or "").replace("``", "").split())  # type: ignore[attr-defined]


#: Deliveries and decisions arrive in one order, so that one number, ``known_at``, bounds both.
ARRIVALS = Sequence("arrival_numbers", metadata=Base.metadata, schema="ops")


class Delivery(Base):
    """One arrival of a file or extract, and what landing made of it."""

    __tablename__ = "deliveries"

    arrival_number: Mapped[int] = mapped_column(
        BigInteger,
        ARRIVALS,
        server_default=ARRIVALS.next_value(),
        primary_key=True,
        comment="Order of arrival, from 1; the newest wins among repeats without a version",
    )
    source: Mapped[str] = mapped_column(String(100), comment="System that delivered it: name of its folder in sources/")
    feed: Mapped[str] = mapped_column(String(100), index=True, comment="Contract the rows follow")
    delivery_name: Mapped[str] = mapped_column(Text, comment="Path of the file below the inbox")
    delivery_day: Mapped[date] = mapped_column(Date, comment="The partition the delivery belongs to")
    content_hash: Mapped[str] = mapped_column(String(64), comment="SHA-256 of the bytes as delivered")
    mapping_hash: Mapped[str] = mapped_column(String(64), comment="SHA-256 of the mapping and format it was read with")
    token_key: Mapped[str] = mapped_column(String(20), comment="Short name of the key its tokens were made with")
    contract_version: Mapped[str] = mapped_column(
        String(20), comment="Version of the contract the rows were checked against"
    )
    file_size: Mapped[int] = mapped_column(BigInteger, comment="Bytes as delivered")
    file_mtime_ns: Mapped[int] = mapped_column(
        BigInteger, comment="When the source last wrote the file, nanoseconds since 1970 UTC"
    )
    outcome: Mapped[str] = mapped_column(
        String(20), comment="landed: its rows are in the lake; unreadable: kept raw, no row could be taken"
    )
    message: Mapped[str | None] = mapped_column(Text, comment="What was wrong and what to do next")
    rows_in: Mapped[int] = mapped_column(
        BigInteger, default=0, comment="Records in the file: accepted + repeated + quarantined + suppressed"
    )
    rows_accepted: Mapped[int] = mapped_column(BigInteger, default=0, comment="Rows in the lake")
    rows_repeated: Mapped[int] = mapped_column(
        BigInteger, default=0, comment="Rows left out because the same file has the key already"
    )
    rows_quarantined: Mapped[int] = mapped_column(
        BigInteger, default=0, comment="Rows refused, kept with their reasons"
    )
    rows_suppressed: Mapped[int] = mapped_column(
        BigInteger, default=0, comment="Rows left out because the person was erased"
    )
    event_date_min: Mapped[date | None] = mapped_column(Date, comment="Earliest business date of an accepted row")
    event_date_max: Mapped[date | None] = mapped_column(Date, comment="Latest business date of an accepted row")
    busiest_day_rows: Mapped[int | None] = mapped_column(
        BigInteger, comment="Accepted rows of the business date that has most; compares daily files with monthly ones"
    )
    lake_path: Mapped[str | None] = mapped_column(Text, comment="Accepted rows, below the lake")
    identifiers_path: Mapped[str | None] = mapped_column(Text, comment="Personal identifiers by token, below the lake")
    texts_path: Mapped[str | None] = mapped_column(Text, comment="Free text by key, below the lake")
    quarantine_path: Mapped[str | None] = mapped_column(Text, comment="Quarantined raw rows, below the lake")
    raw_path: Mapped[str] = mapped_column(Text, comment="The file as delivered, below the lake")
    expected: Mapped[dict[str, Any] | None] = mapped_column(
        JSONB, comment="Control totals the source gave: rows, amount"
    )
    landed_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.now(), comment="When it was landed"
    )


class Conservation(Base):
    """Rows and money of a delivery: total_in = accepted + repeated + quarantined + suppressed, exactly."""

    __tablename__ = "conservation"

    arrival_number: Mapped[int] = mapped_column(
        ForeignKey(Delivery.arrival_number), primary_key=True, comment="The delivery"
    )
    measure: Mapped[str] = mapped_column(String(40), primary_key=True, comment="rows, or the currency of an amount")
    total_in: Mapped[Decimal] = mapped_column(
        Numeric(38, 6), comment="In the file: rows, or the sum of parseable amounts"
    )
    accepted: Mapped[Decimal] = mapped_column(Numeric(38, 6), comment="In the lake")
    repeated: Mapped[Decimal] = mapped_column(Numeric(38, 6), comment="Left out as repeats within the file")
    quarantined: Mapped[Decimal] = mapped_column(Numeric(38, 6), comment="Refused")
    suppressed: Mapped[Decimal] = mapped_column(Numeric(38, 6), comment="Left out because the person was erased")


class Quarantine(Base):
    """How many rows of a delivery were quarantined for a reason; the rows are in the ``pii`` part of the lake."""

    __tablename__ = "quarantine"

    arrival_number: Mapped[int] = mapped_column(
        ForeignKey(Delivery.arrival_number), primary_key=True, comment="The delivery"
    )
    reason: Mapped[str] = mapped_column(String(120), primary_key=True, comment="Reason code, column included")
    row_count: Mapped[int] = mapped_column(BigInteger, comment="Rows with this reason; a row may have several")
    first_row: Mapped[int] = mapped_column(BigInteger, comment="Number of the first such record in the file, from 1")
    masked_example: Mapped[str | None] = mapped_column(Text, comment="Shape of a value found: letters a, digits 9")


class GateResult(Base):
    """One rule of a gate, checked once on one delivery or candidate."""

    __tablename__ = "gate_results"

    gate_result_id: Mapped[int] = mapped_column(
        BigInteger, Identity(), primary_key=True, comment="Number of the result"
    )
    run_id: Mapped[str] = mapped_column(String(200), comment="Run that checked")
    gate: Mapped[str] = mapped_column(String(100), comment="delivery.<feed> or candidate")
    arrival_number: Mapped[int | None] = mapped_column(
        ForeignKey(Delivery.arrival_number), index=True, comment="The delivery checked; null for a candidate"
    )
    rule: Mapped[str] = mapped_column(Text, comment="What was checked")
    level: Mapped[str] = mapped_column(String(10), comment="block or warn")
    outcome: Mapped[str] = mapped_column(String(20), comment="passed, failed or could not check")
    expected: Mapped[str | None] = mapped_column(Text, comment="What the rule asks for")
    observed: Mapped[str | None] = mapped_column(Text, comment="What was found; never values of rows")
    reason: Mapped[str] = mapped_column(Text, comment="Why the rule is there")
    detail: Mapped[str | None] = mapped_column(Text, comment="What to know or do next")
    checked_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.now(), comment="When it was checked"
    )


class Decision(Base):
    """A recorded human act."""

    __tablename__ = "decisions"

    decision_number: Mapped[int] = mapped_column(
        BigInteger,
        ARRIVALS,
        server_default=ARRIVALS.next_value(),
        primary_key=True,
        comment="Order of arrival, in one order with deliveries",
    )
    kind: Mapped[str] = mapped_column(
        String(20),
        comment="release: let a blocked delivery in; drop: never let it in; force_link: two party records are one"
        " person; do_not_link: they are two; withdraw: an earlier decision on party records holds no longer",
    )
    arrival_number: Mapped[int | None] = mapped_column(
        ForeignKey(Delivery.arrival_number), comment="The delivery it is about"
    )
    party_id_a: Mapped[str | None] = mapped_column(Text, comment="A party record it is about")
    party_id_b: Mapped[str | None] = mapped_column(Text, comment="The other, the larger key")
    withdraws: Mapped[int | None] = mapped_column(
        ForeignKey("ops.decisions.decision_number"), comment="The decision that holds no longer"
    )
    reason: Mapped[str] = mapped_column(Text, comment="Why, in the words of who decided")
    decided_by: Mapped[str] = mapped_column(String(100), comment="Who decided")
    decided_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.now(), comment="When it was decided"
    )


class DayClosing(Base):
    """A delivery day was closed: what it was built from, and what was missing then."""

    __tablename__ = "day_closings"

    closing_number: Mapped[int] = mapped_column(
        BigInteger, Identity(), primary_key=True, comment="Order of closing; a day may be closed again"
    )
    delivery_day: Mapped[date] = mapped_column(Date, index=True, comment="The partition that was closed")
    run_id: Mapped[str] = mapped_column(String(200), comment="Run that closed it")
    known_at: Mapped[int] = mapped_column(BigInteger, comment="Arrival number up to which deliveries were known")
    missing: Mapped[list[str]] = mapped_column(JSONB, comment="Files that were expected and had not come: source/feed")
    blocked: Mapped[list[int]] = mapped_column(JSONB, comment="Deliveries of any day that wait for a decision")
    closed_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.now(), comment="When it was closed"
    )


class DbtResult(Base):
    """What became of one model, seed or test in one call of dbt."""

    __tablename__ = "dbt_results"

    dbt_result_id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True, comment="Number of the result")
    run_id: Mapped[str] = mapped_column(String(200), index=True, comment="Run that called dbt")
    step: Mapped[str] = mapped_column(String(100), comment="Step of the pipeline: build_evidence or build_tables")
    node: Mapped[str] = mapped_column(Text, comment="dbt's name of the model, seed or test")
    resource_type: Mapped[str] = mapped_column(String(20), comment="model, seed or test")
    status: Mapped[str] = mapped_column(String(20), comment="As dbt says: success, pass, warn, fail, error or skipped")
    seconds: Mapped[float] = mapped_column(Double, comment="Time it took")
    row_count: Mapped[int | None] = mapped_column(
        BigInteger, comment="Rows of the table afterwards; null for views, tests and what was not built"
    )
    failures: Mapped[int | None] = mapped_column(BigInteger, comment="Rows that break a test")
    finished_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.now(), comment="When dbt's call had ended"
    )


class IdentityRun(Base):
    """What a run made of people, counted before its candidate was judged."""

    __tablename__ = "identity_runs"

    identity_run_number: Mapped[int] = mapped_column(
        BigInteger, Identity(), primary_key=True, comment="Order of counting; a step may be run again"
    )
    run_id: Mapped[str] = mapped_column(String(200), index=True, comment="Run that counted")
    parties: Mapped[int] = mapped_column(BigInteger, comment="Party records")
    people: Mapped[int] = mapped_column(BigInteger, comment="People and organisations they are of")
    prospects: Mapped[int] = mapped_column(BigInteger, comment="Prospects known by an identifier only")
    largest_person_records: Mapped[int] = mapped_column(BigInteger, comment="Records of the person who has most")
    merged: Mapped[int] = mapped_column(BigInteger, comment="Published profiles that went into another one")
    split: Mapped[int] = mapped_column(BigInteger, comment="Parts that left a published profile")
    renamed: Mapped[int] = mapped_column(
        BigInteger, comment="Published profiles that have another id, since a record with a smaller key joined"
    )
    open_identifiers: Mapped[int] = mapped_column(
        BigInteger, comment="Identifiers that are nobody's on some days, since several hold them"
    )
    suppressed_identifiers: Mapped[int] = mapped_column(
        BigInteger, comment="Identifiers of party records over their limit, which link nobody"
    )
    review_links: Mapped[int] = mapped_column(BigInteger, comment="Links that were refused or wait for a person")
    counted_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.now(), comment="When it was counted"
    )


class IdentityChange(Base):
    """A published profile that merged into another, split, or got another id, with the publication that did it."""

    __tablename__ = "identity_changes"

    publication_id: Mapped[int] = mapped_column(
        ForeignKey("ops.publications.publication_id"), primary_key=True, comment="The publication"
    )
    previous_profile_id: Mapped[str] = mapped_column(
        String(40), primary_key=True, comment="Profile as published before"
    )
    profile_id: Mapped[str] = mapped_column(String(40), primary_key=True, comment="Profile its records are of now")
    change_type: Mapped[str] = mapped_column(
        String(10), comment="merge: another profile took it in; split: some of its records left; renamed: a new id"
    )
    party_count: Mapped[int] = mapped_column(BigInteger, comment="Party records that moved")
    cause: Mapped[str] = mapped_column(Text, comment="Rule of the strongest link that joins, or what parts them")
    party_id_a: Mapped[str | None] = mapped_column(Text, comment="A record of that link")
    party_id_b: Mapped[str | None] = mapped_column(Text, comment="The other")
    weight_millibits: Mapped[int | None] = mapped_column(
        BigInteger, comment="Weight of a match, in thousandths of a bit"
    )


class Publication(Base):
    """One audited, visible version and everything it is a function of."""

    __tablename__ = "publications"

    publication_id: Mapped[int] = mapped_column(
        BigInteger,
        Identity(),
        primary_key=True,
        comment="Number of the publication; the greatest is the one readers see",
    )
    run_id: Mapped[str] = mapped_column(String(200), comment="Run that built and published it")
    as_of: Mapped[date] = mapped_column(Date, comment="Business day the profiles speak for, its end")
    known_at: Mapped[int] = mapped_column(BigInteger, comment="Arrival number up to which deliveries are known")
    decisions_known_at: Mapped[int] = mapped_column(BigInteger, comment="Decision number up to which they are known")
    manifest_hash: Mapped[str] = mapped_column(String(64), comment="Hash of the deliveries it was built from")
    seeds_hash: Mapped[str] = mapped_column(
        String(64), comment="Hash of the seeds: thresholds, tiers, rules, calendars"
    )
    models_hash: Mapped[str] = mapped_column(
        String(64), comment="Hash of the estimated models: weights, cut points, parameters"
    )
    code_version: Mapped[str] = mapped_column(String(100), comment="Version of the code that built it")
    table_rows: Mapped[dict[str, int]] = mapped_column(JSONB, comment="Rows per published table")
    repeated_rows: Mapped[dict[str, int]] = mapped_column(
        JSONB, comment="Accepted rows per feed that lost to another delivery: said again, superseded, older snapshot"
    )
    parquet_path: Mapped[str] = mapped_column(Text, comment="The same tables as Parquet, below publications/")
    published_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.now(), comment="When readers began to see it"
    )


class Notification(Base):
    """An alert that was told as opened, reopened or closed; data that comes late changes nothing here."""

    __tablename__ = "notifications"

    alert_id: Mapped[str] = mapped_column(Text, primary_key=True, comment="Alert as in cx.cx_alerts when it was told")
    kind: Mapped[str] = mapped_column(String(10), primary_key=True, comment="opened, reopened or closed")
    reopening_number: Mapped[int] = mapped_column(
        BigInteger,
        primary_key=True,
        autoincrement=False,
        server_default="0",
        comment="0 of the opening and its end, then how often it had been reopened; each is told once",
    )
    publication_id: Mapped[int] = mapped_column(
        ForeignKey("ops.publications.publication_id"), comment="Publication that showed it for the first time"
    )
    owner: Mapped[str] = mapped_column(Text, comment="Who answers for the rule")
    event_date: Mapped[date] = mapped_column(Date, comment="Day it opened, reopened or closed, as was known then")
    sent_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True),
        server_default=func.now(),
        comment="When it was handed to the notifier, or logged where there is none",
    )


def engine(settings: Settings) -> Engine:
    """The administrator's engine on the serving database, migrated; one per process and database.

    Starts the embedded server when it is down.

    Raises:
        postgres.PostgresError: the server does not start, roles are missing, or a newer cx360 made the database.
    """
    place = postgres.url(settings)
    key = (os.getpid(), place)  # a connection must not cross a fork
    with _engines_lock:
        if key not in _engines:
            fresh = create_engine(place, pool_size=2, pool_pre_ping=True, hide_parameters=True)
            _migrate(fresh, settings)
            _engines[key] = fresh
        return _engines[key]


def dispose() -> None:
    """Close all of this process's connections to serving databases; the next session opens new ones."""
    with _engines_lock:
        for (process, _), opened in _engines.items():
            opened.dispose(close=process == os.getpid())  # what a fork inherited is its parent's
        _engines.clear()


@contextmanager
def session(settings: Settings) -> Iterator[Session]:
    """A session on the ledger: commits when the block ends well, rolls back when it raises.

    Objects stay usable after the block.
    """
    with Session(engine(settings), expire_on_commit=False) as opened, opened.begin():
        yield opened


@contextmanager
def one_at_a_time(settings: Settings, what: str) -> Iterator[None]:
    """Let one process at a time do something; the others wait until it has ended, or died.

    Args:
        settings: of the deployment.
        what: name of what is done.
    """
    with engine(settings).connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        key = {"what": f"cx360 {what}"}
        connection.execute(text("select pg_advisory_lock(hashtextextended(:what, 0))"), key)
        try:
            yield
        finally:
            connection.execute(text("select pg_advisory_unlock(hashtextextended(:what, 0))"), key)


def last_number(session: Session) -> int:
    """Number of the last delivery or decision there is; 0 before the first."""
    last = (session.scalar(select(func.max(n))) for n in (Delivery.arrival_number, Decision.decision_number))
    return max(number or 0 for number in last)


def newest_revision() -> str:
    """The revision this cx360 brings a database to."""
    return max(path.stem[:4] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def _migrate(target: Engine, settings: Settings) -> None:
    """Bring the database to the newest revision in one transaction; safe with several processes at once."""
    newest = newest_revision()
    found = _revision(target)
    if found == newest:
        return
    if found is not None and found > newest:
        raise postgres.PostgresError(
            f"the database is at revision {found} of a newer cx360, this one knows {newest}: install that cx360"
        )
    import psycopg
    from alembic import command
    from alembic.config import Config

    with psycopg.connect(postgres.dsn(settings), autocommit=True) as connection:
        postgres.ensure_roles(connection, settings)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with target.begin() as transaction:
        transaction.execute(text("select pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
        config.attributes["connection"] = transaction
        command.upgrade(config, "head")


def _revision(target: Engine) -> str | None:
    """Newest revision the database has; null for one that was never migrated."""
    with target.connect() as connection:
        if connection.scalar(text("select to_regclass('ops.alembic_version')")) is None:
            return None
        revision: str | None = connection.scalar(text("select version_num from ops.alembic_version"))
        return revision
