"""DuckDB: the warehouse is one file.

Here belongs what is asked of an engine (see the package) in DuckDB's way.
"""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cx360.contracts import Contract, load
from cx360.engines import Column
from cx360.settings import Settings
from cx360.sql import identifier, literal

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection


#: Seconds to wait while another process holds the file: the task of a killed scheduler takes a while to end.
PATIENCE = 120.0


@contextmanager
def connect(settings: Settings, read_only: bool = False) -> Iterator["DuckDBPyConnection"]:
    """DuckDB's own connection to the file; waits while another process holds it.

    Raises:
        duckdb.IOException: it still does; the message names the process.
    """
    settings.warehouse.parent.mkdir(parents=True, exist_ok=True)
    db = _open(settings, read_only)
    try:
        db.execute("set TimeZone = 'UTC'")
        yield db
    finally:
        db.close()


def _open(settings: Settings, read_only: bool) -> "DuckDBPyConnection":
    import duckdb

    until = time.monotonic() + PATIENCE
    while True:
        try:
            return duckdb.connect(
                str(settings.warehouse),
                read_only=read_only,
                config={
                    "threads": settings.threads,
                    "memory_limit": settings.memory_limit,
                    "autoinstall_known_extensions": False,
                    "autoload_known_extensions": False,
                },
            )
        except duckdb.IOException as error:
            if "Could not set lock" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.5)


@contextmanager
def open_warehouse(settings: Settings, read_only: bool = False) -> Iterator["_Warehouse"]:
    """The warehouse, given back at the end: another process may then write."""
    with connect(settings, read_only) as db:
        yield _Warehouse(db)


class _Warehouse:
    def __init__(self, db: "DuckDBPyConnection") -> None:
        self._db = db

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self._db.begin()
        try:
            yield
        except BaseException:
            self._db.rollback()
            raise
        self._db.commit()

    def query(self, sql: str) -> "pa.Table":
        return self._db.sql(sql).to_arrow_table()

    def write(self, table: str, rows: "pa.Table") -> None:
        self._db.execute(f"create schema if not exists {table.partition('.')[0]}")
        self._db.register("rows_to_write", rows)
        self._db.execute(f"create or replace table {table} as select * from rows_to_write")
        self._db.unregister("rows_to_write")

    def exists(self, table: str) -> bool:
        schema, _, name = table.partition(".")
        found = self._db.execute(
            "select 1 from duckdb_tables() where database_name = current_database() and schema_name = ?"
            " and table_name = ?",
            [schema, name],
        )
        return bool(found.fetchall())

    def columns(self, *schemas: str) -> list[Column]:
        found = self._db.execute(
            "select schema_name || '.' || table_name, column_name, data_type like 'TIMESTAMP%' from duckdb_columns()"
            " where database_name = current_database() and schema_name in ? order by all",
            [list(schemas)],
        )
        return [Column(*row) for row in found.fetchall()]

    def files(self, contract: Contract, paths: list[str]) -> str:
        if paths:
            return f"read_parquet([{', '.join(map(literal, paths))}], filename = 'lake_file')"
        nothing = ", ".join(f"null::{sql} as {identifier(name)}" for name, sql, _ in contract.lake_columns)
        return f"(select {nothing}, null::varchar as lake_file limit 0)"

    def show_feeds(self, settings: Settings) -> None:
        paths: dict[str, list[str]] = {}
        shown = self._db.execute("select distinct feed, lake_path from raw.deliveries order by all")
        for feed, path in shown.fetchall():
            paths.setdefault(feed, []).append(path)
        for feed, contract in load(settings).items():
            columns = ", ".join(f"rows.{identifier(name)}" for name, _, _ in contract.lake_columns)
            self._db.execute(
                f"create or replace view raw.{identifier(feed)} as"
                f" select {columns}, d.source, d.arrival_number, d.delivery_day, d.content_hash"
                f" from {self.files(contract, paths.get(feed, []))} as rows"
                f" join raw.deliveries as d on d.lake_path = rows.lake_file and d.feed = {literal(feed)}"
            )

    def identifier(self, name: str) -> str:
        return identifier(name)

    def local_date(self, instant: str, timezone: str) -> str:
        return f"cast(timezone({literal(timezone)}, {instant}) as date)"


def errors() -> tuple[type[Exception], ...]:
    """What DuckDB raises."""
    import duckdb

    return (duckdb.Error,)


@contextmanager
def dbt(settings: Settings) -> Iterator[dict[str, str]]:
    """Surrounds a call of dbt; afterwards the file is closed, which dbt keeps open with a configuration of its own."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    try:
        yield {
            "CX360_WAREHOUSE": str(settings.warehouse),
            "CX360_THREADS": str(settings.threads),
            "CX360_MEMORY_LIMIT": settings.memory_limit,
        }
    finally:
        DuckDBConnectionManager.close_all_connections()


def attach(settings: Settings, duck: "DuckDBPyConnection", tables: Iterable[str]) -> None:
    """The file as the catalog ``candidate``, read-only."""
    duck.execute(f"attach {literal(str(settings.warehouse))} as candidate (read_only)")
