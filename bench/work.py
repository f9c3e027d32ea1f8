"""What the bench measures, each in a process of its own: ``python -m bench.work NAME JSON`` prints JSON.

Here belongs the work of cx360 and of plain DuckDB; ``dlt_rival`` runs in another environment. Imports and what a
deployment starts once (PostgreSQL, the ledger's tables) are before the clock.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from bench import files
from cx360.settings import Settings

Result = dict[str, Any]
BENCH = Path(__file__).parent


class Clock:
    """Seconds by the clock and of the processor (all threads of this process) since it was made."""

    def __init__(self) -> None:
        self.wall, self.cpu = time.perf_counter(), time.process_time()

    def read(self) -> Result:
        return {"seconds": time.perf_counter() - self.wall, "cpu_seconds": time.process_time() - self.cpu}


def land(folder: str, file: str) -> Result:
    """Land one file in an empty home, then let it through its gate."""
    import duckdb  # noqa: F401

    from cx360 import landing, pipeline  # noqa: F401

    settings = Settings(home=Path(folder), sources=str(BENCH / "source"))
    settings.inbox_folder.mkdir(parents=True)
    (settings.inbox_folder / "transactions.csv").symlink_to(file)
    run, feed = pipeline.Run("bench"), "transactions"
    with _deployment(settings):
        (landed,) = _steps([("land", partial(pipeline.land, settings, run, feed))])
        import great_expectations  # noqa: F401  # not before: its memory is not landing's

        (checked,) = _steps([("check", partial(pipeline.check, settings, run))])
    rows = landed.pop("summary")["accepted"]
    del checked["summary"]
    return {**landed, "rows": rows, "steps": [landed, checked]}


def duckdb_copy(folder: str, file: str) -> Result:
    """The same file from CSV to Parquet by one statement; what does not parse is left out."""
    return _copy(folder, f"from read_csv('{file}', ignore_errors = true)")


def build(folder: str, bank: str, **others: str) -> Result:
    """Every step from files to publication, in an empty home."""
    import dbt.cli.main  # noqa: F401
    import duckdb  # noqa: F401
    import great_expectations  # noqa: F401

    from cx360 import gates, pipeline  # noqa: F401

    settings = Settings(home=Path(folder), inbox=Path(bank) / "inbox")
    with _deployment(settings):
        steps = day_in_process(settings, "bench")
        customers = _profiles_published(steps)
    for step in steps:
        del step["summary"]
    return {**_sum(steps), "rows": customers, "steps": steps}


def _profiles_published(steps: list[Result]) -> int:
    (publish,) = (step for step in steps if step["step"] == "publish")
    return int(publish["summary"]["tables"]["profile.customer_profile"])


def _sum(steps: list[Result]) -> Result:
    """What steps took together, and the most memory any of them held."""
    summed = {name: sum(step[name] for step in steps) for name in ("seconds", "cpu_seconds")}
    return {**summed, "peak_mb": max(step["peak_mb"] for step in steps)}


def day_in_process(settings: Settings, run_id: str, until: Any = None) -> list[Result]:
    """What a day's DAGs run, in this process.

    Args:
        settings: a deployment; what it has landed and published already is not done again.
        run_id: name of the run.
        until: last delivery day to land (a date), which is the build's as_of too; None for all there are.
    """
    from cx360 import days, pipeline

    run = pipeline.Run(run_id, until=until, as_of=until)
    feeds = [(f"land {feed}", partial(pipeline.LAND, settings, run, feed)) for feed in days.feeds(settings)]
    rest = [(step.name, partial(step, settings, run)) for step in (*pipeline.DAY_STEPS, *pipeline.BUILD_STEPS)]
    return _steps([*feeds, *rest])


def day(folder: str, bank: str) -> Result:
    """The last delivery day of a bank, after those before are published: one process, which starts with it."""
    settings = _empty(folder)
    with _deployment(settings):
        day = _until_last(settings, bank)
        clock, cpu = Clock(), _machine_cpu()
        _apart(settings, day)
        return {**clock.read(), "cpu_seconds": _machine_cpu() - cpu, "rows": 1}


def day_in_airflow(folder: str, bank: str) -> Result:
    """The same day by Airflow's services: from the moment its run is made to the end of the publication's task."""
    from cx360 import airflow_home

    settings = _empty(folder)
    with _deployment(settings):
        day = _until_last(settings, bank)
        airflow_home.up(settings)
        try:
            cpu = _machine_cpu()
            environment = os.environ | airflow_home.environment(settings) | {"CX360_HOME": str(settings.home)}
            subprocess.run([sys.executable, "-c", _TRIGGER, str(day)], env=environment, check=True, stdout=sys.stderr)
            built = f"{_RUN} = '{day}' and dag_id = 'profile' and end_date is not null"
            while not (ended := _airflow(settings, built)):
                time.sleep(0.5)
            ((made, _, _),) = _airflow(settings, f"{_RUN} = '{day}' and dag_id = 'deliveries'")
            ((_, until, state),) = ended
            assert state == "success", f"the build ended {state}: {settings.home}/airflow/logs"
            services = airflow_home.processes(settings).values()
            return {
                "seconds": (until - made).total_seconds(),
                "cpu_seconds": _machine_cpu() - cpu,
                "peak_mb": sum(process.memory_info().rss for process in services) / 1e6,
                "rows": 1,
            }
        finally:
            airflow_home.stop(settings)


def _machine_cpu() -> float:
    """Seconds all processors of the machine have worked: a day is many processes."""
    import psutil

    times = psutil.cpu_times()
    return float(times.user + times.system)


#: A run by hand: after a backfill the scheduler would at once run yesterday as well.
_TRIGGER = """
import sys
from airflow.api.common.trigger_dag import trigger_dag
from airflow.utils.types import DagRunTriggeredByType
trigger_dag("deliveries", triggered_by=DagRunTriggeredByType.TEST, partition_key=sys.argv[1])
"""

_RUN = "select queued_at, end_date, state from dag_run where partition_key"


def _airflow(settings: Settings, sql: str) -> list[tuple[Any, ...]]:
    """Rows of Airflow's database."""
    import psycopg

    from cx360 import postgres

    with psycopg.connect(postgres.airflow_url(settings).replace("+psycopg", "")) as connection:
        return connection.execute(sql).fetchall()


def _empty(folder: str) -> Settings:
    """A deployment with an empty inbox."""
    settings = Settings(home=Path(folder), ui_port=18999)
    settings.inbox_folder.mkdir(parents=True)
    return settings


def _until_last(settings: Settings, bank: str) -> date:
    """Publish all days but the last of a bank as one range, then deliver that."""
    *before, last = sorted((Path(bank) / "inbox").iterdir())
    for path in before:
        shutil.copytree(path, settings.inbox_folder / path.name)
    _apart(settings, date.fromisoformat(before[-1].name))
    shutil.copytree(last, settings.inbox_folder / last.name)
    return date.fromisoformat(last.name)


def _apart(settings: Settings, day: date) -> None:
    """A day's steps in a process of their own, which imports what it needs."""
    code = (
        "import sys; from datetime import date; from cx360 import pipeline; from cx360.settings import Settings;"
        "day = date.fromisoformat(sys.argv[1]);"
        "pipeline.run_all(Settings(), pipeline.Run(f'day {day}', until=day, as_of=day))"
    )
    environment = os.environ | {"CX360_HOME": str(settings.home)}
    subprocess.run([sys.executable, "-c", code, str(day)], env=environment, check=True, stdout=sys.stderr)


def one_day(folder: str, bank: str, **others: str) -> Result:
    """The last delivery day of a bank after those before are published, and then a day on which nothing comes."""
    import dbt.cli.main  # noqa: F401
    import great_expectations  # noqa: F401

    from cx360 import pipeline

    settings = _empty(folder)
    with _deployment(settings):
        day = _until_last(settings, bank)
        steps = day_in_process(settings, "one more day", until=day)
        run = pipeline.Run("nothing new", as_of=day + timedelta(days=1))
        idle = _steps((step.name, partial(step, settings, run)) for step in pipeline.BUILD_STEPS)
        rows = _profiles_published(steps)
    fixed = {"step": "(a day on which nothing comes)", **_sum(idle)}
    for step in steps:
        del step["summary"]
    return {**_sum(steps), "rows": rows, "steps": [*steps, fixed]}


def one_day_short(folder: str, short_bank: str, **others: str) -> Result:
    """The same of a bank of as many customers whose history is short."""
    return one_day(folder, short_bank)


def duckdb_day(folder: str, bank: str, **others: str) -> Result:
    """About thirty columns per customer from the last day's files, by one query."""
    last = max((Path(bank) / "inbox").iterdir())
    return _profiles(folder, files.views(Path(bank), last.name))


def duckdb_profiles(folder: str, bank: str, **others: str) -> Result:
    """About thirty columns per customer from the same files, by one query."""
    return _profiles(folder, files.views(Path(bank)))


def duckdb_parquet(folder: str, parquet: str, **others: str) -> Result:
    """The same from Parquet files."""
    views = (f"create temp view {name} as from '{parquet}/{name}.parquet'" for name in files.RELATIONS)
    return _profiles(folder, ";".join(views))


def _profiles(folder: str, views: str) -> Result:
    return _copy(folder, (BENCH / "customers.sql").read_text(), views)


def match(folder: str, home: str, records: int) -> Result:
    """Links of all records of a home, nothing kept from before."""
    return _match(home, None)


def match_day(folder: str, home: str, records: int) -> Result:
    """The same when all records but some ten thousand were there the day before."""
    from bench import parties

    return _match(home, parties.BEFORE)


def _match(home: str, before: str | None) -> Result:
    import duckdb  # noqa: F401
    import nameparser  # noqa: F401
    import pyarrow.dataset  # noqa: F401
    import pypinyin  # noqa: F401
    import splink  # noqa: F401

    from cx360 import engines, matching, warehouse
    from cx360.matching import state

    settings = Settings(home=Path(home))
    shutil.rmtree(state.folder_of(settings), ignore_errors=True)
    if before:
        shutil.copytree(settings.home / before, state.folder_of(settings))
    with _deployment(settings):
        paths = warehouse.identifier_files(settings, "parties")
        with engines.open_warehouse(settings) as db:
            (done,) = _steps([("match", partial(matching.score, settings, db, paths))])
    scores = done.pop("summary")
    return {**done, "rows": scores.matches + scores.reviews}


def splink(folder: str, home: str, records: int) -> Result:
    """Splink alone with the same comparisons and blocking, from features in a table to scored pairs in one."""
    return _splink(home, "true")


def splink_day(folder: str, home: str, records: int) -> Result:
    """The same of new records against the others, and among themselves."""
    from bench import parties

    return _splink(home, parties.is_new(records))


def _splink(home: str, is_new: str) -> Result:
    import duckdb

    from bench import parties
    from cx360.matching import model, scoring

    settings = Settings(home=Path(home))
    known = model.load(settings)
    with duckdb.connect(config={"threads": settings.threads, "memory_limit": settings.memory_limit}) as db:
        db.execute("set enable_progress_bar = false")
        for name, condition in (("new", is_new), ("old", f"not ({is_new})")):
            features = f"'{settings.home}/{parties.FEATURES}'"
            db.execute(f"create table {name} as select * from {features} where {condition}")
        tables: list[tuple[str, ...]] = [("new",)] if is_new == "true" else [("new",), ("new", "old")]
        clock, rows = Clock(), 0
        with scoring.quiet():
            for names in tables:
                linker = scoring.linker(db, known, *names)
                found = linker.inference.predict(threshold_match_weight=known.review_millibits / 1000)
                ((count,),) = db.execute(f"select count(*) from {found.physical_name}").fetchall()
                rows += count
        return {**clock.read(), "rows": rows}


def _copy(folder: str, query: str, before: str = "") -> Result:
    """Run a query of plain DuckDB into a zstd Parquet file, with the cores and memory cx360 has.

    Args:
        folder: to write to.
        query: what to copy.
        before: statements that come first, also on the clock.
    """
    import duckdb

    Path(folder).mkdir(parents=True)
    settings = Settings()
    with duckdb.connect(config={"threads": settings.threads, "memory_limit": settings.memory_limit}) as db:
        clock = Clock()
        db.execute(before)
        copy = f"copy ({query}) to '{folder}/out.parquet' (format parquet, compression zstd)"
        ((rows,),) = db.execute(copy).fetchall()
        return {**clock.read(), "rows": rows}


@contextmanager
def _deployment(settings: Settings) -> Iterator[None]:
    """A deployment that is up: its PostgreSQL runs and has its tables."""
    from cx360 import ledger, postgres

    with ledger.session(settings):
        pass
    try:
        yield
    finally:
        ledger.dispose()
        postgres.stop(settings)


def _steps(steps: Iterable[tuple[str, Callable[[], Any]]]) -> list[Result]:
    """Run named functions in order: seconds and peak memory of each, and what it returned."""
    from cx360.gates import GateFailed

    done = []
    for name, call in steps:
        _forget_peak()
        clock = Clock()
        try:
            summary = call()
        except GateFailed as blocked:
            summary = {"blocked": str(blocked)}
        done.append({"step": name, **clock.read(), "peak_mb": _peak_mb(), "summary": summary})
        if isinstance(summary, dict) and "by_model" in summary:
            done[-1]["models"] = _by_folder(summary["by_model"])
    return done


def _by_folder(by_model: dict[str, dict[str, Any]]) -> dict[str, float]:
    """Seconds of dbt's models by the folder they are in; several run at once."""
    from cx360.warehouse import DBT_PROJECT

    seconds: dict[str, float] = {}
    for path in sorted((DBT_PROJECT / "models").rglob("*.sql")):
        if path.stem in by_model:
            seconds[path.parent.name] = seconds.get(path.parent.name, 0.0) + by_model[path.stem]["seconds"]
    return seconds


def _forget_peak() -> None:
    """Let the kernel count this process's peak memory from now on (Linux)."""
    Path("/proc/self/clear_refs").write_text("5")


def _peak_mb() -> float:
    """Most memory this process held since then, in megabytes."""
    (kb,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(kb) / 1000


WORK: dict[str, Callable[..., Result]] = {
    f.__name__: f
    for f in (
        land,
        duckdb_copy,
        build,
        duckdb_profiles,
        duckdb_parquet,
        one_day,
        one_day_short,
        duckdb_day,
        day,
        day_in_airflow,
        match,
        match_day,
        splink,
        splink_day,
    )
}

if __name__ == "__main__":
    print(json.dumps(WORK[sys.argv[1]](**json.loads(sys.argv[2]))))
