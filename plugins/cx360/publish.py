"""Publication: an audited candidate becomes what readers see, in one transaction.

Here belongs what a publication consists of, in which order it happens, and how long its files are kept. How a table
of PostgreSQL is brought to a file's rows belongs in ``sync``; whether a candidate may be published, in ``gates``.

The order makes it safe to be killed anywhere. The candidate is written as Parquet, staged and renamed; one
transaction brings PostgreSQL to these files, its row in ``ops.publications`` last; then the link ``latest`` is
swapped. So PostgreSQL holds exactly the files of the last row, and only the difference to them is applied.
"""

import hashlib
import json
import logging
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from cx360 import engines, ledger, postgres, sync
from cx360.ledger import Publication
from cx360.settings import Settings
from cx360.sql import identifier, literal
from cx360.sync import Column, SyncError, Table

if TYPE_CHECKING:
    import duckdb
    import psycopg
    from adbc_driver_postgresql.dbapi import Connection as AdbcConnection

log = logging.getLogger(__name__)

#: Schemas of the warehouse whose models may be public.
SCHEMAS = ("profile", "cx", "features")

#: Publications whose Parquet is kept: a week of days to look back at, compare with and return to.
KEPT = 7

#: Name of the link to the newest publication's files.
LATEST = "latest"

#: How the run of a publication begins that shows an earlier one again.
ROLLBACK = "rollback to publication"

#: Key of the advisory lock that lets one publication at a time through.
LOCK = 3_600_360_002

#: Longest value of ``pii.identifier_values``; a longer one identifies nobody and would not fit into an index.
_VALUE_LENGTH = 500


@dataclass(frozen=True)
class Run:
    """What a publication is a function of; see the columns of ``ops.publications``."""

    run_id: str
    as_of: date
    known_at: int
    decisions_known_at: int
    manifest_hash: str
    seeds_hash: str
    models_hash: str
    code_version: str
    repeated_rows: dict[str, int]


def publish(settings: Settings, run: Run, changes: Sequence[dict[str, Any]] = ()) -> Publication:
    """Publish the candidate in the warehouse; publishing the same again changes nothing but adds a row.

    Args:
        settings: of the deployment.
        run: what it is a function of.
        changes: of published profiles, for ``ops.identity_changes``.

    Returns:
        The row of ``ops.publications``.

    Raises:
        SyncError: the candidate cannot be published; readers keep what they have.
    """
    with _alone(settings) as connection:
        heal(settings)
        name = _export(settings, run.as_of)
        tables = read_tables(settings, name)
        last = _last(settings)
        gone = set(last.table_rows if last else ()) - {table.full_name for table in tables}
        if missing := next((name for name in sorted(gone) if _exists(connection, name)), None):
            raise SyncError(
                f"{missing} was published and is not in the candidate. If it shall go, as administrator: "
                f"drop table {missing}; and publish again"
            )
        for table in tables:
            sync.check_shape(connection, table)
        return _release(settings, connection, name, tables, asdict(run), changes)


def rollback(settings: Settings, publication_id: int) -> Publication:
    """Bring readers back to an earlier publication whose files are kept, as a new row of ``ops.publications``.

    Columns and tables that publication did not have stay, empty.

    Raises:
        SyncError: there is no such publication, or its files are no longer kept.
    """
    with _alone(settings) as connection:
        heal(settings)
        with ledger.session(settings) as session:
            target = session.get(Publication, publication_id)
        tables = read_tables(settings, target.parquet_path) if target else None
        if target is None or not tables:
            raise SyncError(f"publication {publication_id} is not kept: the files of the last {KEPT} are")
        record = {name: getattr(target, name) for name in Run.__dataclass_fields__}
        record["run_id"] = f"{ROLLBACK} {publication_id}"
        return _release(settings, connection, target.parquet_path, tables, record)


def heal(settings: Settings) -> None:
    """Point ``latest`` to what readers see: a process may have died between commit and swap."""
    if last := _last(settings):
        _point(settings, last.parquet_path)


def read_tables(settings: Settings, name: str) -> list[Table]:
    """The tables of a publication's folder; empty when its files are not there, or not all of them."""
    described = settings.publications / name / "tables.json"
    if not described.exists():
        return []
    tables = [
        Table(
            **{
                **raw,
                "grain": tuple(raw["grain"]),
                "columns": tuple(Column(**column) for column in raw["columns"]),
                "indexes": tuple(map(tuple, raw["indexes"])),
            }
        )
        for raw in json.loads(described.read_text())
    ]
    placed = [replace(t, path=_folder(settings, t) / name / f"{t.full_name}.parquet") for t in tables]
    return placed if all(table.path.exists() for table in placed) else []


def last_tables(settings: Settings) -> list[Table]:
    """The tables readers see, as files; empty before the first publication, or where its files are gone."""
    last = _last(settings)
    return read_tables(settings, last.parquet_path) if last else []


@contextmanager
def _alone(settings: Settings) -> "Iterator[psycopg.Connection[Any]]":
    """The administrator's connection, in autocommit, holding the lock of publications."""
    import psycopg

    ledger.engine(settings)  # migrated
    with psycopg.connect(postgres.dsn(settings), autocommit=True) as connection:
        connection.execute("select pg_advisory_lock(%s)", [LOCK])
        yield connection


def _exists(connection: "psycopg.Connection[Any]", full_name: str) -> bool:
    row = connection.execute("select to_regclass(%s) is not null", [full_name]).fetchone()
    return bool(row and row[0])


def _last(settings: Settings) -> Publication | None:
    with ledger.session(settings) as session:
        return session.scalars(select(Publication).order_by(Publication.publication_id.desc()).limit(1)).first()


def _folder(settings: Settings, table: Table) -> Path:
    """Folder of publications' files; restricted values stay in the lake's ``pii`` part."""
    return settings.lake / "pii" / "publications" if table.schema == "pii" else settings.publications


# --- from the warehouse to files ---------------------------------------------------------------------------------


def _export(settings: Settings, as_of: date) -> str:
    """Write the candidate's public tables as Parquet; returns the name of their folder, a hash of all in it."""
    stage, private = settings.staging / "publication", settings.staging / "publication_pii"
    for folder in (stage, private):
        shutil.rmtree(folder, ignore_errors=True)  # of a killed process; we are alone
        folder.mkdir(parents=True)
    models = _public_models(settings)
    with _warehouse(settings, models) as duck:
        tables = [_write(duck, table, source, stage) for table, source in _public_tables(settings, duck, models)]
        tables.append(_write(duck, _IDENTIFIER_VALUES, _identifier_values(settings, duck), private))
    described = json.dumps(
        [{key: value for key, value in asdict(t).items() if key != "path"} for t in tables], indent=1
    )
    name = f"{as_of}-{hashlib.sha256(described.encode()).hexdigest()[:16]}"
    if not read_tables(settings, name):
        (stage / "tables.json").write_text(described)
        _fsync(stage / "tables.json")
        _share_unchanged(settings, tables)
        _keep(private, settings.lake / "pii" / "publications" / name)
        _keep(stage, settings.publications / name)
    shutil.rmtree(stage, ignore_errors=True)
    shutil.rmtree(private, ignore_errors=True)
    return name


@contextmanager
def _warehouse(settings: Settings, models: list[dict[str, Any]]) -> "Iterator[duckdb.DuckDBPyConnection]":
    """A DuckDB session of our own with the models' tables attached for reading as ``candidate``."""
    with _duck(settings) as connection:
        tables = [f"{model['schema']}.{model['alias']}" for model in models]
        engines.of(settings).attach(settings, connection, [*tables, "raw.deliveries"])
        yield connection


@contextmanager
def _duck(settings: Settings) -> "Iterator[duckdb.DuckDBPyConnection]":
    import duckdb

    spill = settings.staging / "spill"
    spill.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(
        ":memory:",
        config={
            "threads": settings.threads,
            "memory_limit": settings.memory_limit,
            "temp_directory": str(spill),
            "autoinstall_known_extensions": False,
        },
    ) as connection:
        connection.execute("set TimeZone = 'UTC'")
        yield connection


def _public_models(settings: Settings) -> list[dict[str, Any]]:
    """What dbt's manifest says of every public table."""
    manifest = settings.home / "dbt" / "target" / "manifest.json"
    nodes = json.loads(manifest.read_text())["nodes"].values()
    public = [n for n in nodes if n["resource_type"] == "model" and n["config"].get("meta", {}).get("publish")]
    if not public:
        raise SyncError("no model says `meta: {publish: true}`, so there is nothing to publish")
    return sorted(public, key=lambda n: (n["schema"], n["alias"]))


def _public_tables(
    settings: Settings, duck: "duckdb.DuckDBPyConnection", models: list[dict[str, Any]]
) -> Iterable[tuple[Table, str]]:
    """Every public table with the select of its rows, types as the warehouse has them."""
    for node in models:
        schema, name, meta = node["schema"], node["alias"], node["config"]["meta"]
        if schema not in SCHEMAS:
            raise SyncError(f"model {name} is public and in schema {schema}: public schemas are {', '.join(SCHEMAS)}")
        columns = duck.execute(
            "select column_name, data_type from duckdb_columns() where database_name = 'candidate'"
            " and schema_name = ? and table_name = ? order by column_index",
            [schema, name],
        ).fetchall()
        grain = tuple(meta.get("grain") or ())
        if not columns:
            raise SyncError(f"model {schema}.{name} is public and not in the warehouse: build it first")
        if not grain or not set(grain) <= {column for column, _ in columns}:
            raise SyncError(f"model {schema}.{name} is public: `meta: {{grain: […]}}` must name columns it has")
        described = {key.lower(): value.get("description", "") for key, value in node["columns"].items()}
        table = Table(
            schema=schema,
            name=name,
            description=node.get("description", "").strip(),
            grain=grain,
            columns=tuple(Column(c, kind, described.get(c.lower(), "").strip()) for c, kind in columns),
            indexes=tuple(tuple([i] if isinstance(i, str) else i) for i in meta.get("indexes") or ()),
        )
        rows = f"select * from candidate.{table.quoted}"
        yield table, _with_kept_days(settings, table, meta["kept_by"], rows) if "kept_by" in meta else rows


def _with_kept_days(settings: Settings, table: Table, day: str, rows: str) -> str:
    """Select of the candidate's rows and those of days published before, which stay as they were told.

    Only the newest published day is open: building it again replaces it. The candidate holds one day.

    Raises:
        SyncError: the files of the last publication are gone, and with them the days before.
    """
    last = _last(settings)
    if last is None or not last.table_rows.get(table.full_name):
        return rows
    before = {t.full_name: t for t in read_tables(settings, last.parquet_path)}.get(table.full_name)
    if before is None:
        raise SyncError(
            f"the files of publication {last.publication_id} are gone, and the earlier days of {table.full_name} with"
            f" them: bring back {settings.publications / last.parquet_path} from a backup and publish again"
        )
    name, file = identifier(day), f"read_parquet({literal(str(before.path))})"
    return f"""
        with candidate_rows as ({rows}),
        told as (from {file}),
        days as (
            select max(told.{name}) as newest, (select max({name}) from candidate_rows) as built,
                bool_or(told.{name} = (select max({name}) from candidate_rows)) as is_told
            from told
        )
        select told.* from told cross join days where not (told.{name} = built and built = newest)
        union all by name
        select candidate_rows.* from candidate_rows cross join days where built >= newest or not is_told"""


_IDENTIFIER_VALUES = Table(
    schema="pii",
    name="identifier_values",
    description="What stands behind a token: one row per token and spelling, from the deliveries of this publication.",
    grain=("token", "value"),
    columns=(
        Column("token", "VARCHAR", "Keyed pseudonym used everywhere outside pii"),
        Column("semantic_type", "VARCHAR", "Kind of value: name, birth_date, document, phone, email, address, …"),
        Column("value", "VARCHAR", f"The value as delivered, trimmed, at most {_VALUE_LENGTH} characters"),
    ),
)


def _identifier_values(settings: Settings, duck: "duckdb.DuckDBPyConnection") -> str:
    """Select of the values behind the tokens of the deliveries the candidate was built from."""
    visible = [n for (n,) in duck.execute("select arrival_number from candidate.raw.deliveries").fetchall()]
    with ledger.session(settings) as session:
        deliveries = select(ledger.Delivery.identifiers_path).where(
            ledger.Delivery.arrival_number == func.any(visible), ledger.Delivery.identifiers_path.is_not(None)
        )
        paths = sorted({str(settings.lake / str(path)) for path in session.scalars(deliveries)})
    if not paths:
        return "select null::varchar as token, null::varchar as semantic_type, null::varchar as value where false"
    files = ", ".join(map(literal, paths))
    # PostgreSQL's text has no zero character. The same spelling of a token under two types stays one row.
    return (
        "select token, min(semantic_type) as semantic_type, value from (select token, semantic_type,"
        f" left(replace(value, chr(0), ''), {_VALUE_LENGTH}) as value from read_parquet([{files}]))"
        " where value is not null group by token, value"
    )


def _write(duck: "duckdb.DuckDBPyConnection", table: Table, source: str, folder: Path) -> Table:
    """Write a table's file, sorted by key; returns the table with its rows and hash."""
    for column in table.columns:
        _ = column.postgres_type  # refuse a type before anything is written
    path = folder / f"{table.full_name}.parquet"
    keys = ", ".join(map(identifier, table.grain))
    names = ", ".join(identifier(column.name) for column in table.columns)
    duck.execute(
        f"copy (select {names} from ({source}) order by {keys}) to {literal(str(path))}"
        " (format parquet, compression zstd)"
    )
    some_null = " or ".join(f"{identifier(key)} is null" for key in table.grain)
    rows, keyless, distinct = duck.execute(
        f"select count(*), count(*) filter ({some_null}),"
        f" (select count(*) from (select distinct {keys} from read_parquet($path))) from read_parquet($path)",
        {"path": str(path)},
    ).fetchall()[0]
    if keyless or distinct != rows:
        raise SyncError(
            f"{table.full_name} is not one row per {', '.join(table.grain)}: of {rows} rows {keyless} lack a part of "
            f"the key and {rows - distinct} repeat one"
        )
    _fsync(path)
    with path.open("rb") as file:
        content_hash = hashlib.file_digest(file, "sha256").hexdigest()
    return replace(table, rows=rows, content_hash=content_hash, path=path)


def _share_unchanged(settings: Settings, tables: Iterable[Table]) -> None:
    """Link a file that equals the last publication's to it: unchanged tables take no room."""
    last = _last(settings)
    before = {t.full_name: t for t in read_tables(settings, last.parquet_path)} if last else {}
    for table in tables:
        old = before.get(table.full_name)
        if old is not None and old.content_hash == table.content_hash:
            table.path.unlink()
            os.link(old.path, table.path)


def _keep(staged: Path, place: Path) -> None:
    """Move a staged folder to its place for good."""
    place.parent.mkdir(parents=True, exist_ok=True)
    _fsync(staged)
    shutil.rmtree(place, ignore_errors=True)  # an incomplete one, of which read_tables found nothing
    staged.rename(place)
    _fsync(place.parent)


def _fsync(path: Path) -> None:
    """Make a file, or the names in a folder, outlast a crash of the machine."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


# --- from files to readers ---------------------------------------------------------------------------------------


def _release(
    settings: Settings,
    connection: "psycopg.Connection[Any]",
    name: str,
    tables: list[Table],
    record: dict[str, Any],
    changes: Sequence[dict[str, Any]] = (),
) -> Publication:
    """Bring PostgreSQL to the files of a folder, then point ``latest`` to them and let old ones go."""
    for table in tables:
        sync.add_columns(connection, table)
    try:
        publication_id, changed = _transact(settings, connection, name, tables, record, changes, trusted=True)
    except sync.Drift as e:
        log.warning("%s; comparing with what PostgreSQL holds", e)
        publication_id, changed = _transact(settings, connection, name, tables, record, changes, trusted=False)
    _point(settings, name)
    for table in tables:
        sync.tend(connection, table, changed[table.full_name])
    _let_go(settings)
    log.info(
        "publication %s: %s of %s rows changed",
        publication_id,
        sum(changed.values()),
        sum(t.rows for t in tables),
    )
    with ledger.session(settings) as session:
        return session.get_one(Publication, publication_id)


def _transact(
    settings: Settings,
    connection: "psycopg.Connection[Any]",
    name: str,
    tables: list[Table],
    record: dict[str, Any],
    changes: Sequence[dict[str, Any]],
    *,
    trusted: bool,
) -> tuple[int, dict[str, int]]:
    """The one transaction. ``trusted``: PostgreSQL holds the files of the last publication.

    Returns:
        Number of the publication; rows changed by table.
    """
    from adbc_driver_postgresql import dbapi

    with dbapi.connect(postgres.dsn(settings)) as transaction, _duck(settings) as duck:
        with transaction.cursor() as cursor:  # also the commit of a publisher killed just now must be over
            cursor.execute(f"select pg_advisory_xact_lock({LOCK + 1})")
            cursor.fetchall()
        last = _last(settings)
        before = {t.full_name: t for t in read_tables(settings, last.parquet_path)} if last and trusted else {}
        changed = {}
        for table in tables:
            existing = sync.existing_columns(connection, table)
            changed[table.full_name] = sync.apply(transaction, duck, table, before.get(table.full_name), existing)
            sync.describe(transaction, table)
            log.info("%s: %s of %s rows changed", table.full_name, changed[table.full_name], table.rows)
        here = {table.full_name for table in tables}
        for gone in sorted(set(last.table_rows if last else ()) - here):
            if _exists(connection, gone):
                sync.empty(transaction, gone)
        rows = {table.full_name: table.rows for table in tables}
        publication_id = _record(transaction, {**record, "table_rows": rows, "parquet_path": name})
        _insert(transaction, "ops.identity_changes", [{**each, "publication_id": publication_id} for each in changes])
        transaction.commit()
    return publication_id, changed


def _record(transaction: "AdbcConnection", values: dict[str, Any]) -> int:
    """Insert the row of ``ops.publications`` that makes the transaction a publication."""
    names = ", ".join(values)
    with transaction.cursor() as cursor:
        cursor.execute(
            f"insert into ops.publications ({names}) select {names}"
            " from jsonb_populate_record(null::ops.publications, $1::jsonb) returning publication_id",
            (json.dumps(values, default=str),),
        )
        return int(cursor.fetchall()[0][0])


def _insert(transaction: "AdbcConnection", table: str, rows: list[dict[str, Any]]) -> None:
    """Add rows to a table of ``ops``."""
    with transaction.cursor() as cursor:
        cursor.execute(
            f"insert into {table} select * from jsonb_populate_recordset(null::{table}, $1::jsonb)",
            (json.dumps(rows),),
        )


def _point(settings: Settings, name: str) -> None:
    """Swap the link ``latest`` to a publication's folder."""
    link = settings.publications / LATEST
    if link.is_symlink() and str(link.readlink()) == name:
        return
    settings.publications.mkdir(parents=True, exist_ok=True)
    fresh = settings.publications / f".{LATEST}"
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(name)
    fresh.rename(link)
    _fsync(settings.publications)


def _let_go(settings: Settings) -> None:
    """Delete the files of all but the last publications; also those that never came to be one."""
    with ledger.session(settings) as session:
        newest = (
            select(Publication.parquet_path)
            .group_by(Publication.parquet_path)
            .order_by(func.max(Publication.publication_id).desc())
            .limit(KEPT)
        )
        kept = set(session.scalars(newest))
    for folder in (settings.publications, settings.lake / "pii" / "publications"):
        for place in folder.iterdir():
            if place.is_dir() and not place.is_symlink() and place.name not in kept:
                shutil.rmtree(place)
