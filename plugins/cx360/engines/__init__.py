"""Engines: DuckDB and Spark, and what is asked of either.

Here belongs the one interface through which Python speaks to a warehouse, and the choice of its engine. What an engine
does in its own way is in its module; SQL that both understand stays with the step it belongs to. Models are the
same on both: there the differences are macros of the dbt project.
"""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from cx360.settings import Settings

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection

    from cx360.contracts import Contract


class EngineMissing(Exception):
    """The engine cannot run here; the message says what is missing and how to get it."""


@dataclass(frozen=True)
class Column:
    """A column of a table of the warehouse; ``is_instant`` where it holds moments."""

    table: str  # schema.name
    name: str
    is_instant: bool


class Warehouse(Protocol):
    """An open warehouse; one writing process at a time."""

    def transaction(self) -> AbstractContextManager[None]:
        """Writes within happen all or not at all where the engine can do that, else one by one in their order."""

    def query(self, sql: str) -> "pa.Table":
        """Rows of a select."""

    def write(self, table: str, rows: "pa.Table") -> None:
        """Make a table (``schema.name``) hold these rows and no others; all of them or, if killed, none."""

    def exists(self, table: str) -> bool:
        """Whether there is such a table (``schema.name``)."""

    def columns(self, *schemas: str) -> list[Column]:
        """Columns of the tables of some schemas, ordered by table and name."""

    def files(self, contract: "Contract", paths: list[str]) -> str:
        """SQL of the rows of some lake files of a feed; typed and empty without files."""

    def show_feeds(self, settings: Settings) -> None:
        """Let ``raw.<feed>`` be the accepted rows of the deliveries in ``raw.deliveries``, for every contract."""

    def identifier(self, name: str) -> str:
        """A name in this engine's quotes."""

    def local_date(self, instant: str, timezone: str) -> str:
        """SQL of the day an instant falls on in a time zone."""


class Engine(Protocol):
    """A module of this package."""

    def open_warehouse(self, settings: Settings, read_only: bool = False) -> AbstractContextManager[Warehouse]:
        """The warehouse."""

    def errors(self) -> tuple[type[Exception], ...]:
        """What opening the warehouse and a statement may raise."""

    def dbt(self, settings: Settings) -> AbstractContextManager[dict[str, str]]:
        """Surrounds a call of dbt in this process; gives the environment ``profiles.yml`` reads."""

    def attach(self, settings: Settings, duck: "DuckDBPyConnection", tables: Iterable[str]) -> None:
        """Show some tables (``schema.name``) to a DuckDB session, for reading, as the catalog ``candidate``."""


def of(settings: Settings) -> Engine:
    """The engine the settings name."""
    from cx360.engines import duckdb, spark

    return spark if settings.engine == "spark" else duckdb


def open_warehouse(settings: Settings, read_only: bool = False) -> AbstractContextManager[Warehouse]:
    """The warehouse of the settings' engine.

    Raises:
        EngineMissing: on entering, where it cannot run here.
    """
    return of(settings).open_warehouse(settings, read_only)
