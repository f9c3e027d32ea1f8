"""Spark gives DuckDB's answers: the same files into two homes, one on each engine, and every public table there is.

Both build a history and then a day; on Spark a process is killed in the middle of the day, which is then run again. So
the day is incremental, with the late and corrected rows of the sample.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest
from pydantic import SecretStr

from cx360 import engines, ledger, pipeline, publish, sample, sources, sync, warehouse
from cx360.ledger import Publication
from cx360.settings import PROJECT, Settings
from cx360.sync import Table

pytestmark = pytest.mark.slow

#: A home on Spark, and the summaries of its last run.
Spark = tuple[Settings, dict[str, pipeline.Summary]]

#: Tables that may have nothing to tell of so small a bank: of them only the columns are compared.
QUIET = {f"cx.{name}" for name in ("cx_alerts", "cx_benchmark_gaps", "hot_topics", "text_aspects", "topics_daily")}

#: How far two doubles may lie apart, as a share of the larger.
NEAR = 1e-9

#: Spark for tables that fit into a hand: no queries are compiled, no process is started for a file to set its mode.
SMALL = """
spark.sql.codegen.wholeStage false
spark.sql.codegen.factoryMode NO_CODEGEN
spark.sql.adaptive.enabled false
spark.sql.sources.parallelPartitionDiscovery.threshold 1000
spark.driver.defaultJavaOptions -XX:+UseSerialGC
spark.hadoop.fs.file.impl org.apache.hadoop.fs.RawLocalFileSystem
spark.hadoop.mapreduce.fileoutputcommitter.marksuccessfuljobs false
"""

#: Builds a day on Spark with all tests of dbt, then of the next one the tables that are kept from run to run, without
#: the others; then the process is gone.
KILLED = """
import os, signal, sys
from tests.engines import test_parity
from cx360 import warehouse
from cx360.settings import PROJECT, Settings

whole = warehouse.dbt

def half(*told, select=None, exclude=None):
    if exclude is None:
        return whole(*told, select=select, exclude="resource_type:test")
    whole(*told, select="config.materialized:incremental", exclude="resource_type:test")
    os.kill(os.getpid(), signal.SIGKILL)

test_parity.run(Settings(), sys.argv[1])
warehouse.dbt = half
test_parity.run(Settings(), sys.argv[2])
"""


@pytest.fixture(scope="module")
def inbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    files = tmp_path_factory.mktemp("bank")
    sample.generate(customers=80, days=62, seed=11, out=files)
    return files / "inbox"


@pytest.fixture(scope="module")
def duck(inbox: Path, new_home: Callable[[str], Settings]) -> Settings:
    """The history and the last day on DuckDB."""
    settings = open_bank(new_home("duckdb"), inbox, "duckdb")
    for day in sources.delivery_days(settings)[-2:]:
        run(settings, str(day))
    return settings


@pytest.fixture(scope="module")
def spark(inbox: Path, new_home: Callable[[str], Settings], tmp_path_factory: pytest.TempPathFactory) -> Spark:
    """The same on Spark, the day again after a process was killed in it; and what that last run tells."""
    folder = tmp_path_factory.mktemp("spark")
    (folder / "spark-defaults.conf").write_text(SMALL)
    os.environ["SPARK_CONF_DIR"] = str(folder)
    settings = open_bank(new_home("on_spark"), inbox, "spark")
    assert settings.database_url and settings.token_key
    environment = os.environ | {
        "CX360_ENGINE": settings.engine,
        "CX360_HOME": str(settings.home),
        "CX360_INBOX": str(inbox),
        "CX360_DATABASE_URL": settings.database_url.get_secret_value(),
        "CX360_TOKEN_KEY": settings.token_key.get_secret_value(),
        "CX360_THREADS": str(settings.threads),
        "CX360_MEMORY_LIMIT": settings.memory_limit,
        "PYTHONPATH": f"{PROJECT}:{PROJECT / 'plugins'}",
    }
    days = [str(day) for day in sources.delivery_days(settings)[-2:]]
    died = subprocess.run(
        [sys.executable, "-c", KILLED, *days], env=environment, cwd=folder, capture_output=True, check=False
    )
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()
    assert [path.name for path in folder.iterdir()] == ["spark-defaults.conf"], "nothing is left where it ran"
    with without_tests():
        return settings, run(settings, days[-1])


def open_bank(home: Settings, inbox: Path, engine: str) -> Settings:
    """A home that reads the bank on an engine, with the keys both homes have."""
    (home.home / "keys" / "identity").write_text("identity key of the tests")
    return home.model_copy(update={"inbox": inbox, "engine": engine, "token_key": SecretStr("token key of the tests")})


def run(settings: Settings, day: str, full_refresh: bool = False) -> dict[str, pipeline.Summary]:
    told = {"run_id": f"{settings.engine} {day}", "until": day, "as_of": day, "full_refresh": full_refresh}
    return pipeline.run_all(settings, pipeline.Run.from_json(told))


@contextmanager
def without_tests() -> Iterator[None]:
    """Builds within leave out the tests of dbt, which pass on Spark in the first one."""
    whole = warehouse.dbt

    def dbt(*told: Any, select: str | None = None, exclude: str | None = None) -> dict[str, Any]:
        return whole(*told, select=select, exclude=f"{exclude or ''} resource_type:test")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(warehouse, "dbt", dbt)
        yield


def published(settings: Settings) -> list[str]:
    """Folders of what was published, in order."""
    with ledger.session(settings) as session:
        return [made.parquet_path for made in session.query(Publication).order_by(Publication.publication_id)]


def tables(settings: Settings, place: int) -> dict[str, Table]:
    """What was published first, second, …, by name; files hold rows in key order."""
    found = publish.read_tables(settings, published(settings)[place])
    return {table.full_name: table for table in found if table.schema != "pii"}


@pytest.mark.parametrize("place", [0, 1], ids=["history", "day"])
def test_every_public_table_has_the_same_rows_on_both_engines(duck: Settings, spark: Spark, place: int) -> None:
    on_duckdb, on_spark = tables(duck, place), tables(spark[0], place)
    assert set(on_duckdb) == set(on_spark)
    assert len(on_duckdb) >= 5
    for name, table in on_duckdb.items():
        assert on_spark[name].columns == table.columns, name
        assert table.rows > 0 or name in QUIET, name
        assert differences(table, on_spark[name]) == {}, name


def differences(one: Table, other: Table) -> dict[str, int]:
    """Rows that only one file has, and per column the rows whose values differ; doubles may lie a little apart."""
    key = " and ".join(f"a.{name} = b.{name}" for name in one.grain)
    differs = {
        column.name: f"abs(a.{column.name} - b.{column.name}) > {NEAR} * greatest(abs(a.{column.name}),"
        f" abs(b.{column.name})) or (a.{column.name} is null) <> (b.{column.name} is null)"
        if column.type == "DOUBLE"
        else f"a.{column.name} is distinct from b.{column.name}"
        for column in one.columns
        if column.name not in one.grain
    }
    counts = ", ".join(f"count(*) filter ({differs[name]}) as {name}" for name in differs)
    alone = " or ".join(f"a.{name} is null or b.{name} is null" for name in one.grain)
    found = duckdb.sql(
        f"select count(*) filter ({alone}) as rows_alone, {counts}"
        f" from ({sync.rows_of(one, one.columns)}) as a"
        f" full join ({sync.rows_of(other, other.columns)}) as b on {key}"
    )
    (row,) = found.fetchall()
    return {name: count for name, count in zip(found.columns, row, strict=True) if count}


def test_the_day_was_incremental_on_spark(spark: Spark) -> None:
    """Else the comparison of the day would prove nothing that the history's does not."""
    settings, told = spark
    days = duckdb.sql(
        f"select count(distinct business_date) from read_parquet('{settings.home}/warehouse/spark/tables/staging.db/"
        "stg_app_events/*/*.parquet', hive_partitioning = true)"
    ).fetchall()[0][0]
    assert 0 < told["open_warehouse"]["days_to_compute"] < days


def test_steps_of_a_process_share_a_session(spark: Spark) -> None:
    """To start one takes longer than most models."""
    from pyspark.sql import SparkSession

    sessions = set()
    for _ in range(2):
        with engines.open_warehouse(spark[0]):
            session = SparkSession.getActiveSession()
            assert session
            sessions.add(session.sparkContext.applicationId)
    assert len(sessions) == 1


def test_computed_anew_spark_publishes_the_same_files(spark: Spark) -> None:
    settings, _ = spark
    day = sources.delivery_days(settings)[-1]
    with without_tests():
        told = run(settings, str(day), full_refresh=True)
    assert told["open_warehouse"]["days_to_compute"] == "all"
    last, again = published(settings)[-2:]
    assert again == last
