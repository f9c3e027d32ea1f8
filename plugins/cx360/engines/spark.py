"""Spark: for when one machine is outgrown; a session on this machine unless ``CX360_SPARK_MASTER`` names a cluster.

Here belongs what is asked of an engine (see the package) in Spark's way. The warehouse is a folder below home:

    tables/      what dbt builds, as Parquet; partitioned by day where a table is kept from run to run
    metastore/   Spark's own catalog of it (Derby, one process at a time)
    raw/         a Parquet file per table of schema raw, replaced whole by a rename

Schema raw exists in a session only, as views: over those files, and per feed over the very lake files that the
deliveries point to. It is Spark's schema of global views under another name, so models read it as on DuckDB.
"""

import atexit
import hashlib
import logging
import os
import re
import shutil
import subprocess
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlparse

from cx360.contracts import Contract, load
from cx360.engines import Column, EngineMissing
from cx360.settings import Settings
from cx360.sql import identifier, literal

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection
    from pyspark.sql import DataFrame, SparkSession

#: The oldest Java that Spark 4 runs on.
JAVA = 17

#: Says whose session it is; of a path that Spark uses, Spark changes the spelling.
_OF_FOLDER = "spark.cx360.folder"

_TYPES = {"varchar": "string", "timestamptz": "timestamp"}


def require() -> None:
    """Make sure that Spark is installed.

    Raises:
        EngineMissing: says how to get it.
    """
    from importlib.util import find_spec

    if find_spec("pyspark") is None or find_spec("dbt.adapters.spark") is None:
        raise EngineMissing(
            "CX360_ENGINE is spark, and Spark is not installed in this environment. Install it with `make spark`, or"
            " `uv pip install --no-deps --require-hashes -r requirements-spark.lock`; or set CX360_ENGINE=duckdb"
        )


def require_java() -> None:
    """Make sure that there is a Java for Spark.

    Raises:
        EngineMissing: says what was found and how to get one.
    """
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=f"{home}/bin") if home else shutil.which("java")
    advice = (
        f"Install one (Debian and Ubuntu: apt-get install openjdk-{JAVA}-jre-headless) or point JAVA_HOME to it; or"
        " set CX360_ENGINE=duckdb"
    )
    if java is None:
        raise EngineMissing(
            f"Spark needs Java {JAVA} or newer, and there is none: JAVA_HOME is {home or 'not set'}"
            f"{'' if home else ', and no java is on the PATH'}. {advice}"
        )
    told = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(?:1\.)?(\d+)', told)  # Java 8 calls itself 1.8
    if version is None or int(version[1]) < JAVA:
        found = f"Java {version[1]}" if version else "no Java that tells its version"
        raise EngineMissing(f"Spark needs Java {JAVA} or newer, and this is {found}: {java}. {advice}")


def memory(words: str) -> str:
    """A size in DuckDB's words (4GB, 512 MiB) in Java's (4G, 512M)."""
    return re.sub(r"(?<=[a-z])i?b$", "", words.replace(" ", ""), flags=re.IGNORECASE)


@contextmanager
def open_warehouse(settings: Settings, read_only: bool = False) -> Iterator["_Warehouse"]:
    """The warehouse; the session stays for the next step of this process, and ends with the process."""
    yield _Warehouse(_session(settings), _folder(settings))


def _folder(settings: Settings) -> Path:
    return settings.warehouse.parent / "spark"


def _session(settings: Settings) -> "SparkSession":
    """The session of this process for that home, with schema raw as it was left."""
    require()
    warnings.filterwarnings("ignore", message="PySpark does not yet fully support pandas")
    logging.getLogger("SQLQueryContextLogger").disabled = True  # what failed is raised; it need not be printed too
    from pyspark.sql import SparkSession

    running = SparkSession.getActiveSession()
    if running is not None:
        if running.conf.get(_OF_FOLDER, None) == str(_folder(settings)):
            return running
        running.stop()
    require_java()
    session = _start(settings)
    try:
        found = _Warehouse(session, _folder(settings))
        for path in sorted((_folder(settings) / "raw").glob("*.parquet")):
            found.show(path.stem)
        if found.exists("raw.deliveries"):
            found.show_feeds(settings)
    except BaseException:
        session.stop()  # the next call must not take it for a whole one
        raise
    return session


def _start(settings: Settings) -> "SparkSession":
    """A session that has opened the metastore.

    Raises:
        EngineMissing: says where Spark wrote why it did not start.
    """
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    folder, log = _folder(settings), settings.home / "logs" / "spark.log"
    folder.mkdir(parents=True, exist_ok=True)
    builder = SparkSession.builder
    for name, value in _configuration(settings).items():
        builder = builder.config(name, value)
    try:
        with _stderr_to(log):
            session = builder.enableHiveSupport().getOrCreate()
            atexit.register(session.stop)
            session.sql("show schemas").collect()
    except PySparkException as error:
        if half := SparkSession.getActiveSession():
            half.stop()
        raise EngineMissing(
            f"Spark did not start ({type(error).__name__}); it says why in {log}. Another process may be at work in"
            f" {folder}"
        ) from error
    return session


@contextmanager
def _stderr_to(log: Path) -> Iterator[None]:
    """Let a process that is started within write what it says to a file, now and later."""
    log.parent.mkdir(parents=True, exist_ok=True)
    own = os.dup(2)
    try:
        with log.open("ab") as file:
            os.dup2(file.fileno(), 2)
        yield
    finally:
        os.dup2(own, 2)
        os.close(own)


def _configuration(settings: Settings) -> dict[str, str]:
    folder = _folder(settings)
    scratch = settings.staging / "spark"
    java = {
        "derby.stream.error.file": folder / "derby.log",
        "java.io.tmpdir": scratch,
    }
    scratch.mkdir(parents=True, exist_ok=True)
    configuration = {
        "spark.app.name": "cx360",
        _OF_FOLDER: str(folder),
        "spark.sql.warehouse.dir": (folder / "tables").as_uri(),
        "spark.hadoop.javax.jdo.option.ConnectionURL": f"jdbc:derby:;databaseName={folder / 'metastore'};create=true",
        "spark.driver.extraJavaOptions": " ".join(f'"-D{name}={value}"' for name, value in java.items()),
        "spark.local.dir": str(scratch),
        "spark.driver.memory": memory(settings.memory_limit),
        "spark.log.level": "ERROR",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.globalTempDatabase": "raw",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.ansi.enabled": "false",  # dbt-spark insists; all else must then agree with it
        "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",  # instants, to every reader
        "spark.sql.legacy.allowNonEmptyLocationInCTAS": "true",  # what a killed process left is overwritten
    }
    if settings.spark_master:
        return configuration | {"spark.master": settings.spark_master}
    return configuration | {
        "spark.master": f"local[{settings.threads}]",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.sql.shuffle.partitions": str(settings.threads),
    }


class _Warehouse:
    def __init__(self, session: "SparkSession", folder: Path) -> None:
        self._session = session
        self._raw = folder / "raw"

    @contextmanager
    def transaction(self) -> Iterator[None]:
        yield

    def query(self, sql: str) -> "pa.Table":
        return self._session.sql(sql).toArrow()

    def write(self, table: str, rows: "pa.Table") -> None:
        import pyarrow.parquet as pq

        schema, _, name = table.partition(".")
        if schema != "raw":
            self._session.sql(f"create schema if not exists {schema}")
            self._session.createDataFrame(rows).write.mode("overwrite").format("parquet").saveAsTable(table)
            return
        self._raw.mkdir(parents=True, exist_ok=True)
        fresh = self._raw / f".{name}"
        pq.write_table(rows, fresh)
        with fresh.open("rb") as file:
            os.fsync(file.fileno())
        fresh.rename(self._raw / f"{name}.parquet")
        self.show(name)

    def show(self, name: str) -> None:
        """Let ``raw.<name>`` be what its file holds."""
        import pyarrow.parquet as pq

        rows = pq.read_table(self._raw / f"{name}.parquet")
        self._session.createDataFrame(rows).createOrReplaceGlobalTempView(name)

    def exists(self, table: str) -> bool:
        schema, _, name = table.partition(".")
        if schema == "raw":
            return (self._raw / f"{name}.parquet").exists()
        return self._session.catalog.tableExists(table)

    def columns(self, *schemas: str) -> list[Column]:
        found = self._session.sql("show schemas").toArrow()["namespace"].to_pylist()
        tables = [
            f"{schema}.{row['tableName']}"
            for schema in schemas
            if schema in found
            for row in self._session.sql(f"show tables in {schema}").collect()
            if not row["isTemporary"]
        ]
        columns = [
            Column(table, field.name, field.dataType.typeName().startswith("timestamp"))
            for table in tables
            for field in self._session.table(table).schema.fields
        ]
        return sorted(columns, key=lambda column: (column.table, column.name))

    def files(self, contract: Contract, paths: list[str]) -> str:
        name = f"files_{contract.feed}_{hashlib.sha256(' '.join(paths).encode()).hexdigest()[:16]}"
        self._read(contract, paths).createOrReplaceTempView(name)
        return name

    def _read(self, contract: Contract, paths: list[str]) -> "DataFrame":
        """Rows of files and, as ``lake_file``, the name of the file each is in."""
        schema = ", ".join(f"`{name}` {_TYPES.get(kind, kind)}" for name, kind, _ in contract.lake_columns)
        if not paths:
            return self._session.createDataFrame([], f"{schema}, lake_file string")
        return self._session.read.schema(schema).parquet(*paths).selectExpr("*", "_metadata.file_name as lake_file")

    def show_feeds(self, settings: Settings) -> None:
        import pyarrow.parquet as pq

        paths: dict[str, set[str]] = {}
        deliveries = pq.read_table(self._raw / "deliveries.parquet", columns=["feed", "lake_path"])
        for row in deliveries.to_pylist():
            paths.setdefault(row["feed"], set()).add(row["lake_path"])
        for feed, contract in load(settings).items():
            columns = ", ".join(f"rows.`{name}`" for name, _, _ in contract.lake_columns)
            self._session.sql(
                f"select {columns}, d.source, d.arrival_number, d.delivery_day, d.content_hash"
                f" from {self.files(contract, sorted(paths.get(feed, ())))} as rows"
                " join raw.deliveries as d on substring_index(d.lake_path, '/', -1) = rows.lake_file"
                f" and d.feed = {literal(feed)}"
            ).createOrReplaceGlobalTempView(feed)

    def identifier(self, name: str) -> str:
        return f"`{name}`"

    def local_date(self, instant: str, timezone: str) -> str:
        return f"cast(from_utc_timestamp({instant}, {literal(timezone)}) as date)"

    def parquet(self, table: str) -> list[str]:
        """Paths of a table's files; none of a view, or of a table without rows."""
        if self.exists(table) and self._session.catalog.getTable(table).tableType == "VIEW":
            return []
        uris = self._session.table(table).inputFiles()
        return sorted(unquote(urlparse(uri).path) for uri in uris)


def errors() -> tuple[type[Exception], ...]:
    """What Spark raises."""
    from pyspark.errors import PySparkException

    return (PySparkException,)


@contextmanager
def dbt(settings: Settings) -> Iterator[dict[str, str]]:
    """Surrounds a call of dbt, which takes the session of its process."""
    _session(settings)
    yield {}


def attach(settings: Settings, duck: "DuckDBPyConnection", tables: Iterable[str]) -> None:
    """Views over the tables' own files as the catalog ``candidate``: nothing is copied but what has no files."""
    duck.execute("attach ':memory:' as candidate")
    with open_warehouse(settings) as found:
        for table in tables:
            schema, _, name = table.partition(".")
            place = f"candidate.{identifier(schema)}.{identifier(name)}"
            duck.execute(f"create schema if not exists candidate.{identifier(schema)}")
            if not found.exists(table):
                continue
            if paths := found.parquet(table):
                files = ", ".join(map(literal, paths))
                days = str("/business_date=" in paths[0]).lower()
                duck.execute(f"create view {place} as from read_parquet([{files}], hive_partitioning = {days})")
            else:
                duck.register("rows_without_files", found.query(f"select * from {table}"))
                duck.execute(f"create table {place} as from rows_without_files")
                duck.unregister("rows_without_files")
