"""What ``make run`` does, in a process of its own: a real Airflow runs the DAGs, an embedded PostgreSQL serves."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from cx360.settings import PROJECT, Settings

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def made(long_home: Settings, watch: tuple[dict[str, str], Path]) -> subprocess.CompletedProcess[str]:
    """A small synthetic bank, run as a newcomer runs it."""
    return cx360(long_home, "run", "--customers", "80", "--days", "12", **watch[0])


def cx360(home: Settings, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("CX360_", "AIRFLOW"))}
    environment |= {"CX360_HOME": str(home.home), "HOME": str(home.home / "nobody"), "COLUMNS": "160"} | more
    return subprocess.run(
        [sys.executable, "-m", "cx360.cli", *arguments],
        env=environment,
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_ends_green_and_says_what_was_published_and_where(
    made: subprocess.CompletedProcess[str], long_home: Settings
) -> None:
    assert made.returncode == 0, made.stdout + made.stderr
    assert "Publication 4" in made.stdout
    assert "profile.customer_profile" in made.stdout
    assert str(long_home.home / "publications") in made.stdout
    secret = (long_home.home / "keys" / "postgres_cx360_bi").read_text()
    assert secret not in made.stdout + made.stderr


def test_every_dag_ran_in_airflow_for_the_history_and_for_each_day(
    made: subprocess.CompletedProcess[str], long_home: Settings
) -> None:
    with closing(sqlite3.connect(long_home.home / "airflow" / "airflow.db")) as db:
        runs = dict(db.execute("select dag_id, count(*) from dag_run where state = 'success' group by 1").fetchall())
    assert runs == {"deliveries": 4, "profile": 4}


def test_it_asks_for_no_other_machine(
    made: subprocess.CompletedProcess[str], watch: tuple[dict[str, str], Path]
) -> None:
    asked = set(watch[1].read_text().split())
    assert asked, "nothing was watched"
    assert asked <= {"127.0.0.1", "::1", "localhost"}


def test_the_command_line_reads_what_was_published(made: subprocess.CompletedProcess[str], long_home: Settings) -> None:
    sql = "select count(*) as n from profile.customer_profile where profile_type = 'unattributed'"
    asked = cx360(long_home, "query", sql, "--format", "csv")
    assert (asked.returncode, asked.stdout.split()) == (0, ["n", "1"])
    refused = cx360(long_home, "query", "select * from pii.identifier_values")
    assert refused.returncode == 2
    assert "permission denied" in refused.stderr


def test_stopped_it_starts_again_when_asked(made: subprocess.CompletedProcess[str], long_home: Settings) -> None:
    assert cx360(long_home, "stop").returncode == 0
    assert cx360(long_home, "query", "select 1 as one").returncode == 0
    assert cx360(long_home, "stop").returncode == 0


def test_an_inbox_without_files_is_told_and_is_no_success(long_home: Settings, tmp_path: Path) -> None:
    empty = cx360(long_home, "run", "--sources", "sources/eagle_bank", "--inbox", str(tmp_path))
    assert empty.returncode == 1
    assert "No complete file of a known feed" in empty.stdout
