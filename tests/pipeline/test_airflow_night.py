"""Nights under a real Airflow: scheduler, API server, DAG processor and LocalExecutor on PostgreSQL.

Files come late, repeated, corrected or not at all; the scheduler is killed in the middle of a build. In the end readers
see what one range run over the same deliveries publishes.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest

from cx360 import airflow_home, pipeline, postgres, sample, sources
from cx360.settings import Settings
from tests.pipeline.test_main_job import PUBLIC, open_bank, published

PATIENCE = 600


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Deliveries of a small bank: its history, then three days."""
    out = tmp_path_factory.mktemp("bank")
    sample.generate(customers=60, days=20, seed=3, out=out)
    return out / "inbox"


@pytest.fixture(scope="module")
def night(long_home: Settings) -> Iterator[Settings]:
    """A deployment whose Airflow runs, with an empty inbox."""
    home = open_bank(long_home, long_home.home / "inbox")
    home.inbox_folder.mkdir(parents=True)
    home = home.model_copy(update={"ui_port": free_port()})
    airflow_home.up(home)
    yield home
    airflow_home.stop(home)


def free_port() -> int:
    return next(port for port in range(18080 + os.getpid() % 1000, 20000) if postgres.is_free(port))


def airflow(home: Settings, *arguments: str) -> str:
    """What Airflow's command line says."""
    done = subprocess.run(
        [sys.executable, "-m", "airflow", *arguments],
        env=os.environ | airflow_home.environment(home) | {"CX360_HOME": str(home.home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def rows(home: Settings, sql: str, airflows: bool = True) -> list[tuple[Any, ...]]:
    """Rows of Airflow's database, or of the ledger's."""
    place = postgres.airflow_url(home).replace("+psycopg", "") if airflows else postgres.dsn(home)
    with psycopg.connect(place) as connection:
        return connection.execute(sql).fetchall()


def wait_for(what: str, is_there: Callable[[], Any]) -> Any:
    """Its first true answer."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if found := is_there():
            return found
        time.sleep(0.5)
    raise AssertionError(f"waited in vain for {what}")


def run_days(home: Settings, first: date, last: date) -> None:
    """Airflow's own command for a range of days; returns when all of them are asked for."""
    running = "select count(*) from backfill where completed_at is null"  # Airflow looks every half minute
    wait_for("the end of the last backfill", lambda: rows(home, running) == [(0,)])
    airflow(home, "backfill", "create", "--dag-id", "deliveries", "--from-date", str(first), "--to-date", str(last),
            "--max-active-runs", "1")  # fmt: skip


def wait_until_built(home: Settings, day: date) -> None:
    """Until the build of a day has ended, and ended well."""
    sql = f"select state from dag_run where dag_id = 'profile' and partition_key = '{day}' and end_date is not null"
    assert wait_for(f"the build of {day}", lambda: rows(home, sql)) == [("success",)]


def deliver(files: Path, home: Settings, day: date, *held_back: str) -> None:
    """Put a day's files into the inbox, but for those of some feeds."""
    for path in sorted((files / str(day)).iterdir()):
        if not path.name.startswith(held_back or ("-",)):
            target = home.inbox_folder / str(day) / path.name
            target.parent.mkdir(exist_ok=True)
            shutil.copy(path, target)


def test_nights_end_as_one_range_run(night: Settings, files: Path, new_home: Callable[[str], Settings]) -> None:
    history, first, second, third = (date.fromisoformat(folder.name) for folder in sorted(files.iterdir()))

    deliver(files, night, history)
    run_days(night, history, history)
    wait_until_built(night, history)

    # A night without transactions, in which the scheduler dies.
    deliver(files, night, first, "transactions")
    run_days(night, first, first)
    running = f"""
        select 1 from task_instance as t join dag_run as r using (dag_id, run_id)
        where dag_id = 'profile' and partition_key = '{first}' and task_id = 'build_tables' and t.state = 'running'"""
    wait_for("the middle of the build", lambda: rows(night, running))
    scheduler = airflow_home.processes(night)["scheduler"]
    scheduler.kill()
    scheduler.wait()  # what has not died yet counts as running, and is not started
    airflow_home.start(night)
    wait_until_built(night, first)
    closing = "select missing from ops.day_closings where delivery_day = '{}' order by closing_number"
    assert rows(night, closing.format(first), airflows=False) == [(["synthetic_bank/transactions"],)]

    # They come with the next night, some once more under another name; two nights by one command.
    deliver(files, night, first)
    deliver(files, night, second)
    deliver(files, night, third)
    again = next(path for path in (night.inbox_folder / str(second)).glob("transactions*") if path.suffix != ".ctl")
    for path in (again, again.with_name(f"{again.name}.ctl")):
        shutil.copy(path, path.with_name(path.name.replace("transactions_", "transactions_again_")))
    run_days(night, second, third)
    wait_until_built(night, second)
    wait_until_built(night, third)
    assert rows(night, closing.format(second), airflows=False) == [([],)]

    builds = rows(night, "select partition_key, count(*) from dag_run where dag_id = 'profile' group by 1 order by 1")
    assert builds == [(str(day), 1) for day in (history, first, second, third)]
    pending = rows(night, "select count(*) from asset_partition_dag_run where created_dag_run_id is null")
    assert pending == [(0,)]

    other = open_bank(new_home("range"), night.inbox_folder)
    assert sources.delivery_days(other)[-1] == third
    pipeline.run_all(other, pipeline.Run(run_id="range", as_of=third))
    mine, theirs = published(night, last_day_only=True), published(other, last_day_only=True)
    for table in PUBLIC:
        assert mine[table] == theirs[table], table
