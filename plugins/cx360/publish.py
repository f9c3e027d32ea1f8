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
from cx360.sync import Column, Part, SyncError, Table

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
                "parts": tuple(Part(**part) for part in raw["parts"]),
            }
        )
        for raw in map(_of_one_file, json.loads(described.read_text()))
    ]
    placed = [replace(t, path=_folder(settings, t) / name / f"{t.full_name}.parquet") for t in tables]
    return placed if all(path.exists() for table in placed for path in table.files.values()) else []


def _of_one_file(raw: dict[str, Any]) -> dict[str, Any]:
    """The description of a table as it is now written; before tables had parts, it was that of its one file."""
    if "parts" in raw:
        return raw
    file = {"name": "", "rows": raw.pop("rows"), "fingerprint": "", "content_hash": raw.pop("content_hash")}
    return raw | {"parts": [file]}


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
    last = {table.full_name: table for table in last_tables(settings)}
    with _warehouse(settings, models) as duck:
        tables = [
            _write(duck, table, f"candidate.{table.quoted}", stage, last.get(table.full_name))
            for table in _public_tables(settings, duck, models)
        ]
        values = _IDENTIFIER_VALUES
        duck.execute(f"create temp table identifier_values as {_identifier_values(settings, duck)}")
        tables.append(_write(duck, values, "identifier_values", private, last.get(values.full_name)))
    described = json.dumps(
        [{key: value for key, value in asdict(t).items() if key != "path"} for t in tables], indent=1
    )
    name = f"{as_of}-{hashlib.sha256(described.encode()).hexdigest()[:16]}"
    if not read_tables(settings, name):
        (stage / "tables.json").write_text(described)
        _fsync(stage / "tables.json")
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
) -> Iterable[Table]:
    """Every public table, types as the warehouse has them."""
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
            by_day=meta.get("kept_by") or meta.get("by_day") or "",
            is_kept="kept_by" in meta,
        )
        if table.is_kept:
            _require_days_before(settings, table)
        yield table


def _require_days_before(settings: Settings, table: Table) -> None:
    """Refuse to lose the days of a table that were published before.

    Raises:
        SyncError: the files of the last publication are gone, and with them the days before.
    """
    last = _last(settings)
    if last is not None and last.table_rows.get(table.full_name) and not read_tables(settings, last.parquet_path):
        raise SyncError(
            f"the files of publication {last.publication_id} are gone, and the earlier days of {table.full_name} with"
            f" them: bring back {settings.publications / last.parquet_path} from a backup and publish again"
        )


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


def _write(duck: "duckdb.DuckDBPyConnection", table: Table, rows: str, folder: Path, last: Table | None) -> Table:
    """Write a table's files, each sorted by key; returns the table with its parts.

    A part that holds what it held in the last publication is a link to that: it costs one look at its rows, and no
    room. Of a table that keeps its days, only the newest published one is open: building it again replaces it.

    Args:
        duck: with the candidate.
        table: what to write.
        rows: a relation of the candidate's rows; of a table that keeps its days, those of one day.
        folder: to write into.
        last: the table as it was published last.
    """
    for column in table.columns:
        _ = column.postgres_type  # refuse a type before anything is written
    path = folder / f"{table.full_name}.parquet"
    is_alike = last is not None and (last.by_day, last.grain, last.shape) == (table.by_day, table.grain, table.shape)
    before = {part.name: part for part in last.parts} if last is not None and is_alike else {}
    found = {part.name: (part, rows) for part in _parts(duck, table, rows)}
    settled = {name for name, (part, _) in found.items() if _is_in(before, part)}
    if len(settled) < len(found):
        _require_grain(duck, table, rows, settled)
    if len(found) - len(settled) > 1:  # in the order of days each is found without a look at the others
        order, is_open = identifier(table.by_day), _is_open(table, settled)
        duck.execute(f"create or replace temp table by_day as select * from {rows} where {is_open} order by {order}")
        found |= {name: (found[name][0], "by_day") for name in found if name not in settled}
    if table.is_kept and last is not None:
        told = f"({sync.rows_of(last, table.columns)})"
        days = before or {part.name: part for part in _parts(duck, table, told)}
        found |= {day: (part, told) for day, part in days.items() if day not in found or day != max(days)}
    if table.by_day:
        path.mkdir()
    parts = []
    for name, (part, source) in sorted(found.items()):
        if last is not None and _is_in(before, part):
            os.link(last.path / name, path / name)
            parts.append(before[name])
        else:
            parts.append(replace(part, content_hash=_copy(duck, table, source, path / name)))
    if table.by_day:
        _fsync(path)
        duck.execute("drop table if exists by_day")
    return replace(table, parts=tuple(parts), path=path)


def _is_in(before: dict[str, Part], part: Part) -> bool:
    """Whether the last publication has the part with the same rows."""
    return part.name in before and before[part.name].fingerprint == part.fingerprint


def _require_grain(duck: "duckdb.DuckDBPyConnection", table: Table, rows: str, settled: set[str]) -> None:
    """Refuse rows without a key, or two with the same; settled parts have passed when they were published first.

    Raises:
        SyncError: says how many.
    """
    keys = ", ".join(map(identifier, table.grain))
    needed = [*table.grain, table.by_day] if table.by_day else table.grain
    some_null = " or ".join(f"{identifier(key)} is null" for key in needed)
    if settled:
        is_open = _is_open(table, settled)
        if table.by_day not in table.grain:  # a settled part may hold the key of an open one
            is_open += f" or ({keys}) in (select ({keys}) from {rows} where {is_open})"
        rows = f"(select * from {rows} where {is_open})"
    count, keyless, distinct = duck.execute(
        f"select count(*), count(*) filter ({some_null}),"
        f" (select count(*) from (select distinct {keys} from {rows})) from {rows}"
    ).fetchall()[0]
    if keyless or distinct < count:
        raise SyncError(
            f"{table.full_name} is not one row per {', '.join(table.grain)}: of {count} rows {keyless} lack a part of "
            f"the key and {count - distinct} repeat one"
        )


def _is_open(table: Table, settled: set[str]) -> str:
    """Condition: the row is of no settled part; one without a day is of none."""
    if not settled:
        return "true"
    days = ", ".join(literal(Path(name).stem) for name in sorted(settled))
    return f"coalesce({identifier(table.by_day)} not in ({days}), true)"


def _parts(duck: "duckdb.DuckDBPyConnection", table: Table, rows: str) -> list[Part]:
    """The parts a relation makes, by its rows alone. Sums and xors of hashes are the same in any order of rows."""
    names = ", ".join(identifier(column.name) for column in table.columns)
    found = duck.execute(
        f"select {_part_name(table)}, count(*),"
        f" concat_ws(' ', count(*), bit_xor(hash({names})), sum(hash({names})::hugeint))"
        f" from {rows}{' group by 1' if table.by_day else ''}"
    ).fetchall()
    return [Part(*row) for row in found]


def _part_name(table: Table) -> str:
    """Expression of the name of the part a row is in; rows without a day are refused before a file has theirs."""
    return f"coalesce({identifier(table.by_day)}::varchar, 'none') || '.parquet'" if table.by_day else "''"


def _copy(duck: "duckdb.DuckDBPyConnection", table: Table, rows: str, path: Path) -> str:
    """Write a part, named by its day, durable; returns the hash of its file."""
    keys = ", ".join(map(identifier, table.grain))
    names = ", ".join(identifier(column.name) for column in table.columns)
    of_day = f"where {identifier(table.by_day)} = {literal(path.stem)}" if table.by_day else ""
    duck.execute(
        f"copy (select {names} from {rows} {of_day} order by {keys}) to {literal(str(path))}"
        " (format parquet, compression zstd, compression_level 1)"
    )
    _fsync(path)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


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
    last = _last(settings)
    rows_before = last.table_rows if last else {}
    for table in tables:
        sync.add_columns(connection, table)
    try:
        publication_id, changed = _transact(settings, connection, name, tables, record, changes, trusted=True)
    except sync.Drift as e:
        log.warning("%s; comparing with what PostgreSQL holds", e)
        publication_id, changed = _transact(settings, connection, name, tables, record, changes, trusted=False)
    _point(settings, name)
    for table in tables:
        sync.tend(connection, table, rows_before.get(table.full_name, 0))
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
