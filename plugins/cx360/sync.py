"""Making tables of PostgreSQL equal to Parquet files, at the cost of what differs and without disturbing readers.

Here belongs everything between a described Parquet file and its table: creating it, adding columns, finding the
difference, applying it. When that happens, and what else is in the transaction, belongs in ``publish``.

A reader holds ACCESS SHARE. Rows are deleted and inserted, never truncated, so nothing here waits for a reader or
makes one wait but the adding of a column, which is done before the transaction and gives way.
"""

import logging
import re
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cx360.sql import identifier, literal

if TYPE_CHECKING:
    import duckdb
    import psycopg
    import pyarrow as pa
    from adbc_driver_postgresql.dbapi import Connection as AdbcConnection

log = logging.getLogger(__name__)

#: How long adding a column waits for readers, each time so shortly that nobody queues behind it.
_ADD_COLUMN_TRIES, _ADD_COLUMN_WAIT = 300, "50ms"

#: A table whose size changes by this share of its rows gets new statistics at once. What only changed otherwise waits
#: for autovacuum: the planner's picture of it is still right.
_ANALYZE_SHARE = 0.1

_TYPES = {
    "BIGINT": "bigint",
    "INTEGER": "integer",
    "SMALLINT": "smallint",
    "DOUBLE": "double precision",
    "VARCHAR": "text",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIMESTAMP": "timestamp without time zone",
    "TIMESTAMP WITH TIME ZONE": "timestamp with time zone",
    "VARCHAR[]": "text[]",
}


class SyncError(RuntimeError):
    """A table cannot be brought to what its file says; the message says what to do. It quotes no values."""


class Drift(SyncError):
    """PostgreSQL does not hold what the last publication says: compare with what it does hold."""


@dataclass(frozen=True)
class Column:
    """A column: name, type in DuckDB's words, description."""

    name: str
    type: str
    description: str = ""

    @property
    def postgres_type(self) -> str:
        """The type as PostgreSQL's ``format_type`` writes it.

        Raises:
            SyncError: there is no such type in PostgreSQL.
        """
        if match := re.fullmatch(r"DECIMAL\((\d+),(\d+)\)", self.type):
            return f"numeric({match[1]},{match[2]})"
        if self.type not in _TYPES:
            raise SyncError(
                f"column {self.name} is {self.type}: cast it in its model to one of {', '.join(_TYPES)}, DECIMAL"
            )
        return _TYPES[self.type]


@dataclass(frozen=True)
class Part:
    """A Parquet file of a table, its rows in key order: all of the table, or its rows of one day.

    Attributes:
        name: of the file below the table's folder; empty where the table is one file.
        rows: number of rows.
        fingerprint: of the rows in any order; differs where they do.
        content_hash: SHA-256 of the file.
    """

    name: str
    rows: int
    fingerprint: str
    content_hash: str = ""


@dataclass(frozen=True)
class Table:
    """A public table and its Parquet.

    Attributes:
        by_day: column by whose days it is cut into parts; empty where it is one.
        is_kept: whether days published before stay as they were told.
        path: of its file, or of the folder of its parts.
    """

    schema: str
    name: str
    description: str
    grain: tuple[str, ...]
    columns: tuple[Column, ...]
    indexes: tuple[tuple[str, ...], ...] = ()
    by_day: str = ""
    is_kept: bool = False
    parts: tuple[Part, ...] = ()
    path: Path = field(default=Path(), compare=False)

    @property
    def rows(self) -> int:
        """Number of rows."""
        return sum(part.rows for part in self.parts)

    @property
    def files(self) -> dict[str, Path]:
        """Path of each part by its name."""
        return {part.name: self.path / part.name for part in self.parts}

    @property
    def shape(self) -> list[tuple[str, str]]:
        """Name and type of each column."""
        return [(column.name, column.type) for column in self.columns]

    @property
    def full_name(self) -> str:
        """``schema.name``."""
        return f"{self.schema}.{self.name}"

    @property
    def quoted(self) -> str:
        """Schema and name as identifiers of SQL."""
        return f"{identifier(self.schema)}.{identifier(self.name)}"

    @property
    def index_columns(self) -> dict[str, tuple[str, ...]]:
        """Columns of each secondary index by its name."""
        return {f"{self.name}__{'_'.join(columns)}"[:63]: columns for columns in self.indexes}


def existing_columns(connection: "psycopg.Connection[Any]", table: Table) -> dict[str, str]:
    """Type by name of the table's columns in PostgreSQL; empty when it does not exist."""
    found = connection.execute(
        "select attname, format_type(atttypid, atttypmod) from pg_attribute"
        " where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped order by attnum",
        [table.quoted],
    )
    return {str(name): str(kind) for name, kind in found.fetchall()}


def check_shape(connection: "psycopg.Connection[Any]", table: Table) -> None:
    """Refuse a file that lacks a published column or has it with another type: readers' views stand on it.

    Raises:
        SyncError: with the statement by which an administrator accepts the change.
    """
    new = {column.name: column.postgres_type for column in table.columns}
    for name, kind in existing_columns(connection, table).items():
        if name not in new:
            raise SyncError(
                f"{table.full_name}.{name} was published and is gone from its model. Readers may use it: keep it in "
                f"the model until they do not. Then, as administrator: alter table {table.full_name} drop column "
                f"{name}; and publish again"
            )
        if new[name] != kind:
            raise SyncError(
                f"{table.full_name}.{name} was published as {kind} and its model now says {new[name]}. Publish a new "
                f"column instead, or, as administrator: alter table {table.full_name} alter column {name} type "
                f"{new[name]}; and publish again"
            )


def add_columns(connection: "psycopg.Connection[Any]", table: Table) -> None:
    """Add the columns a published table lacks; the connection is in autocommit.

    Adding needs the table for itself for an instant. It asks again and again for a moment only, because readers who
    come while it waits would have to wait too.

    Raises:
        SyncError: readers held the table all the time.
    """
    import psycopg

    found = existing_columns(connection, table)
    missing = [column for column in table.columns if column.name not in found]
    if not found or not missing:
        return
    added = ", ".join(f"add column {identifier(c.name)} {c.postgres_type}" for c in missing)
    for _ in range(_ADD_COLUMN_TRIES):
        try:
            with connection.transaction():
                connection.execute(f"set local lock_timeout = '{_ADD_COLUMN_WAIT}'")
                connection.execute(f"alter table {table.quoted} {added}")
            return
        except psycopg.errors.LockNotAvailable:
            time.sleep(0.1)
    raise SyncError(
        f"{table.full_name} gets new columns, for which no query may be reading it for an instant, but one always was: "
        "end the longest (select pid, query_start from pg_stat_activity order by 2) and publish again"
    )


def apply(
    postgres: "AdbcConnection",
    duck: "duckdb.DuckDBPyConnection",
    new: Table,
    old: Table | None,
    existing: dict[str, str],
) -> int:
    """Bring the table to what ``new`` says, within the connection's transaction.

    Args:
        postgres: the administrator's connection, not in autocommit.
        duck: where the difference is computed.
        new: what the table shall equal.
        old: what it equals now; null when that is not known, then the table itself is read.
        existing: columns the table has in PostgreSQL; empty: it is created. One that ``new`` lacks becomes null.

    Returns:
        Number of rows deleted or inserted.

    Raises:
        Drift: the table did not hold what ``old`` says.
    """
    if not existing:
        return _create(postgres, duck, new)
    said, held = _contents(new), _contents(old) if old is not None else set()
    if old is not None and said == held:
        return 0
    columns = [
        *new.columns,
        *(
            Column(name, _duck_type(kind))
            for name, kind in existing.items()
            if name not in {c.name for c in new.columns}
        ),
    ]
    alike = {name for name, _ in said & held}
    before = rows_of(old, columns, alike) if old is not None else _fetched(postgres, duck, new, columns)
    _find_difference(duck, new.grain, columns, before, rows_of(new, columns, alike))
    _execute(postgres, "drop table if exists pg_temp.cx360_gone")
    changed = 0
    keys = ", ".join(map(identifier, new.grain))
    names = ", ".join(identifier(c.name) for c in columns)
    gone = duck.sql(f"select {keys} from difference where was_there")
    if count := _stage(postgres, "cx360_gone", [c for c in columns if c.name in new.grain], gone.to_arrow_reader()):
        _execute(postgres, "analyze pg_temp.cx360_gone")  # few rows are looked up, many are found in one pass
        same = " and ".join(f"t.{identifier(k)} = g.{identifier(k)}" for k in new.grain)
        deleted = _execute(postgres, f"delete from {new.quoted} t using pg_temp.cx360_gone g where {same}")
        if deleted != count:
            raise Drift(f"{new.full_name}: {count} rows should go, {deleted} were there")
        changed += count
    fresh = duck.sql(f"select {names} from difference where is_there")
    return changed + _ingest(postgres, new.name, fresh.to_arrow_reader(), db_schema_name=new.schema)


def empty(postgres: "AdbcConnection", full_name: str) -> None:
    """Delete all rows of a table that exists."""
    schema, name = full_name.split(".", 1)
    _execute(postgres, f"delete from {identifier(schema)}.{identifier(name)}")


def describe(postgres: "AdbcConnection", table: Table) -> None:
    """Write the comments of table and columns where they differ; in the connection's transaction."""
    relation = f"to_regclass({literal(table.quoted)})"
    with postgres.cursor() as cursor:
        cursor.execute(
            "select coalesce(a.attname::text, ''), d.description from pg_description d left join pg_attribute a"
            " on a.attrelid = d.objoid and a.attnum = d.objsubid and a.attnum > 0"
            f" where d.classoid = 'pg_class'::regclass and d.objoid = {relation}"
        )
        have = dict(cursor.fetchall())
    if table.description and have.get("") != table.description:
        _execute(postgres, f"comment on table {table.quoted} is {literal(table.description)}")
    for column in table.columns:
        if column.description and have.get(column.name) != column.description:
            where = f"{table.quoted}.{identifier(column.name)}"
            _execute(postgres, f"comment on column {where} is {literal(column.description)}")


def tend(connection: "psycopg.Connection[Any]", table: Table, rows_before: int) -> None:
    """After the commit, without locking readers out: make indexes that are missing, refresh statistics."""
    valid = dict(
        connection.execute(
            "select c.relname, i.indisvalid from pg_index i join pg_class c on c.oid = i.indexrelid"
            " where i.indrelid = to_regclass(%s)",
            [table.quoted],
        ).fetchall()
    )
    for name, columns in table.index_columns.items():
        if valid.get(name) is False:  # a killed process left it half-made
            connection.execute(f"drop index concurrently {identifier(table.schema)}.{identifier(name)}")
        if not valid.get(name):
            connection.execute(_create_index(table, name, columns, "concurrently"))
    if abs(table.rows - rows_before) > _ANALYZE_SHARE * table.rows:
        connection.execute(f"analyze {table.quoted}")


def _create_index(table: Table, name: str, columns: Iterable[str], how: str = "") -> str:
    return f"create index {how} {identifier(name)} on {table.quoted} ({', '.join(map(identifier, columns))})"


def _create(postgres: "AdbcConnection", duck: "duckdb.DuckDBPyConnection", table: Table) -> int:
    """Create, load, then index a table nobody can see yet."""
    columns = ", ".join(f"{identifier(c.name)} {c.postgres_type}" for c in table.columns)
    _execute(postgres, f"create table {table.quoted} ({columns})")
    rows = duck.sql(rows_of(table, table.columns)).to_arrow_reader()
    _ingest(postgres, table.name, rows, db_schema_name=table.schema)
    _execute(postgres, f"alter table {table.quoted} add primary key ({', '.join(map(identifier, table.grain))})")
    for name, indexed in table.index_columns.items():
        _execute(postgres, _create_index(table, name, indexed))
    return table.rows


def _duck_type(postgres_type: str) -> str:
    if match := re.fullmatch(r"numeric\((\d+),(\d+)\)", postgres_type):
        return f"DECIMAL({match[1]},{match[2]})"
    return next((duck for duck, there in _TYPES.items() if there == postgres_type), "VARCHAR")


def rows_of(table: Table, columns: Iterable[Column], without: Collection[str] = ()) -> str:
    """Select of the columns from the table's files, but for some parts; null where the table lacks one."""
    kinds = {column.name: column.type for column in table.columns}
    chosen = [
        identifier(c.name)
        if kinds.get(c.name) == c.type
        else f"try_cast({identifier(c.name) if c.name in kinds else 'null'} as {c.type}) as {identifier(c.name)}"
        for c in columns
    ]
    paths = [literal(str(path)) for name, path in table.files.items() if name not in without]
    nothing = ", ".join(f"null::{column.type} as {identifier(column.name)}" for column in table.columns)
    source = f"read_parquet([{', '.join(paths)}])" if paths else f"(select {nothing} limit 0)"
    return f"select {', '.join(chosen)} from {source}"


def _contents(table: Table) -> set[tuple[str, str]]:
    return {(part.name, part.content_hash) for part in table.parts}


def _fetched(
    postgres: "AdbcConnection", duck: "duckdb.DuckDBPyConnection", table: Table, columns: Iterable[Column]
) -> str:
    """Select of the rows PostgreSQL holds. Numerics travel as text, the only exact form ADBC reads them in."""
    numeric = {c.name for c in columns if c.type.startswith("DECIMAL")}
    names = {c.name: identifier(c.name) for c in columns}
    wanted = [f"{name}::text as {name}" if raw in numeric else name for raw, name in names.items()]
    with postgres.cursor() as cursor:
        cursor.execute(f"select {', '.join(wanted)} from {table.quoted}")
        duck.register("held_arrow", cursor.fetch_record_batch())
        duck.execute("create or replace temp table held as select * from held_arrow")
        duck.unregister("held_arrow")
    typed = ", ".join(f"cast({names[c.name]} as {c.type}) as {names[c.name]}" for c in columns)
    return f"select {typed} from held"


def _find_difference(
    duck: "duckdb.DuckDBPyConnection",
    grain: tuple[str, ...],
    columns: Iterable[Column],
    before: str,
    after: str,
) -> None:
    """Table ``difference``: one row per key that came, went or changed, with ``was_there`` and ``is_there``."""
    same_key = " and ".join(f"a.{identifier(k)} = b.{identifier(k)}" for k in grain)
    values = [
        f"coalesce(a.{identifier(c.name)}, b.{identifier(c.name)}) as {identifier(c.name)}"
        if c.name in grain
        else f"a.{identifier(c.name)}"
        for c in columns
    ]
    first = identifier(grain[0])  # no column of a key is null: it tells which side is there
    differs = [f"a.{identifier(c.name)} is distinct from b.{identifier(c.name)}" for c in columns]
    duck.execute(
        f"create or replace temp table difference as select {', '.join(values)},"
        f" b.{first} is not null as was_there, a.{first} is not null as is_there"
        f" from ({after}) a full join ({before}) b on {same_key} where {' or '.join(differs)}"
    )


def _stage(postgres: "AdbcConnection", name: str, columns: Iterable[Column], rows: "pa.RecordBatchReader") -> int:
    """Load rows into a temporary table that goes with the transaction; returns their number."""
    kinds = ", ".join(f"{identifier(c.name)} {c.postgres_type}" for c in columns)
    _execute(postgres, f"create temp table {name} ({kinds}) on commit drop")
    return _ingest(postgres, name, rows, temporary=True)


@contextmanager
def _readable_errors() -> Iterator[None]:
    """Keep only the first line of what PostgreSQL says: the next ones quote rows."""
    from adbc_driver_manager import Error, IntegrityError

    try:
        yield
    except IntegrityError:
        raise Drift("PostgreSQL holds rows the last publication does not tell of") from None
    except Error as e:
        said = str(e).split("\nDETAIL", 1)[0].split("\nCONTEXT", 1)[0]
        raise SyncError(f"PostgreSQL refused a publication: {said}") from None


def _ingest(postgres: "AdbcConnection", name: str, rows: "pa.RecordBatchReader", **where: Any) -> int:
    with postgres.cursor() as cursor, _readable_errors():
        return int(cursor.adbc_ingest(name, rows, mode="append", **where))


def _execute(postgres: "AdbcConnection", statement: str) -> int:
    """Run one statement; returns the number of rows it touched."""
    with postgres.cursor() as cursor, _readable_errors():
        cursor.execute(statement)
        return int(cursor.rowcount)
