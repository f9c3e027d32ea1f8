"""Airflow's services as `make up` starts them: real ones, in a home with an embedded PostgreSQL of its own."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from cx360 import airflow_home, postgres, sample
from cx360.settings import PROJECT, Settings

pytestmark = pytest.mark.slow

ALL = {"metadatabase", *airflow_home.SERVICES}


@pytest.fixture(scope="module")
def up(long_home: Settings, watch: tuple[dict[str, str], Path]) -> Iterator[Settings]:
    """A home whose services run; neither somebody else's settings of Airflow nor a proxy count."""
    settings = long_home.model_copy(update={"ui_port": free_port()})
    with pytest.MonkeyPatch.context() as patch:
        for name, value in watch[0].items():
            patch.setenv(name, value)
        patch.setenv("AIRFLOW__CORE__EXECUTOR", "CeleryExecutor")
        patch.setenv("CX360_CUT_OFF", "00:00")  # at night too, the day that just ended waits for no files
        patch.setenv("HTTP_PROXY", "http://192.0.2.1:9")  # banks have one; no machine has this address
        assert airflow_home.up(settings), "the user is new"
        yield settings
        airflow_home.down(settings)


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ask(settings: Settings, path: str, token: str | None = None, **body: Any) -> Any:
    """What the API answers; a POST when there is a body."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{settings.ui_port}{path}",
        data=json.dumps(body).encode() if body else None,
        headers={"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {}),
    )
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(request, timeout=60) as answer:
        return json.load(answer)


@pytest.fixture
def token(up: Settings) -> str:
    """Of the one user, who logs in with the generated password."""
    return str(ask(up, "/auth/token", username="admin", password=airflow_home.password(up))["access_token"])


def pids(settings: Settings) -> dict[str, int]:
    return {service: process.pid for service, process in airflow_home.processes(settings).items()}


def test_all_of_it_is_healthy(up: Settings) -> None:
    assert airflow_home.status(up) == dict.fromkeys(ALL, "healthy")


def test_everything_listens_on_this_machine_only(up: Settings) -> None:
    """The API server and PostgreSQL listen on loopback, the others not at all."""
    roots = airflow_home.processes(up)
    server = int((up.home / "postgres" / "data" / "postmaster.pid").read_text().split()[0])
    listening: dict[str, set[tuple[str, int]]] = {}
    for name, root in {**roots, "postgres": psutil.Process(server)}.items():
        found = [link for each in (root, *root.children(recursive=True)) for link in each.net_connections("inet")]
        listening[name] = {tuple(link.laddr) for link in found if link.status == psutil.CONN_LISTEN}
    assert listening == {
        "api-server": {("127.0.0.1", up.ui_port)},
        "postgres": {("127.0.0.1", postgres.start(up))},
        "scheduler": set(),
        "dag-processor": set(),
        "triggerer": set(),
    }


def test_only_the_generated_password_logs_in_and_only_its_owner_reads_it(up: Settings, token: str) -> None:
    assert airflow_home.password_file(up).stat().st_mode & 0o077 == 0
    with pytest.raises(urllib.error.HTTPError, match="401"):
        ask(up, "/auth/token", username="admin", password="admin")
    with pytest.raises(urllib.error.HTTPError, match="401"):
        ask(up, "/api/v2/dags")
    said = b"".join(path.read_bytes() for path in (up.home / "airflow" / "logs").glob("*.log"))
    assert airflow_home.password(up).encode() not in said


def test_every_dag_is_there_and_waits_for_nobody_to_switch_it_on(up: Settings, token: str) -> None:
    dags = eventually(lambda: ask(up, "/api/v2/dags", token), lambda found: found["total_entries"] > 1)["dags"]
    assert {dag["dag_id"] for dag in dags} == {"deliveries", "profile"}
    assert not [dag["dag_id"] for dag in dags if dag["is_paused"]]
    assert ask(up, "/api/v2/importErrors", token)["import_errors"] == []
    assert ask(up, f"/api/v2/pools/{airflow_home.WAREHOUSE_POOL}", token)["slots"] == 1


def test_the_scheduler_runs_tasks_of_this_home(up: Settings, token: str) -> None:
    sample.generate(20, 10, 1, up.home)
    path = "/api/v2/dags/deliveries/dagRuns"
    run = ask(up, path, token, logical_date=None)["dag_run_id"]
    ended = eventually(
        lambda: ask(up, f"{path}/{run}", token), lambda found: found["state"] in ("success", "failed"), seconds=300
    )
    assert ended["state"] == "success"
    assert list((up.home / "airflow" / "logs" / "dag_id=deliveries").rglob("*.log"))


@pytest.mark.parametrize("service", airflow_home.SERVICES)
def test_containers_are_told_that_a_service_is_healthy(up: Settings, service: str) -> None:
    assert healthy(up, service) == 0


def healthy(settings: Settings, service: str) -> int:
    """Exit code of what containers run to know it."""
    values = {"CX360_HOME": str(settings.home), "CX360_UI_PORT": str(settings.ui_port)}
    command = [sys.executable, "-m", "cx360.airflow_home", "healthy", service]
    return subprocess.run(command, env=os.environ | values, check=False).returncode


def test_no_process_asks_for_another_machine(up: Settings, token: str, watch: tuple[dict[str, str], Path]) -> None:
    asked = set(watch[1].read_text().split())
    assert asked, "nothing was watched"
    assert asked <= {"127.0.0.1", "::1", "localhost"}


def test_a_second_time_is_harmless(up: Settings) -> None:
    before = pids(up)
    assert not airflow_home.up(up)
    assert pids(up) == before


def test_a_killed_scheduler_is_told_and_comes_back_alone(up: Settings) -> None:
    before = pids(up)
    children = airflow_home.processes(up)["scheduler"].children(recursive=True)
    airflow_home.processes(up)["scheduler"].kill()
    eventually(lambda: airflow_home.status(up)["scheduler"], lambda state: state == "down")
    airflow_home.up(up)
    after = pids(up)
    assert {name for name in after if after[name] != before[name]} == {"scheduler"}
    assert children
    assert not [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]


def test_what_containers_run_first_is_harmless_when_run_again(settings: Settings) -> None:
    """With the serving database given, as in docker-compose.yml."""
    assert settings.database_url
    values = {"CX360_HOME": str(settings.home), "CX360_DATABASE_URL": settings.database_url.get_secret_value()}
    command = [sys.executable, "-m", "cx360.airflow_home", "init"]
    for _ in range(2):
        said = subprocess.run(command, env=os.environ | values, check=True, capture_output=True, text=True).stdout
    assert str(airflow_home.password_file(settings)) in said
    assert airflow_home.password(settings) not in said
    with psycopg.connect(postgres.airflow_url(settings).replace("+psycopg", "")) as connection:
        pools = connection.execute("select slots from slot_pool where pool = %s", [airflow_home.WAREHOUSE_POOL])
        assert pools.fetchall() == [(1,)]
    for role in postgres.READERS:
        with (
            pytest.raises(psycopg.OperationalError, match="permission denied for database"),
            psycopg.connect(postgres.dsn(settings, role) + "_airflow"),
        ):
            pass


def test_another_home_that_cannot_start_says_why_and_leaves_this_one_alone(settings: Settings, up: Settings) -> None:
    before = pids(up)
    taken = settings.model_copy(update={"ui_port": up.ui_port})
    with pytest.raises(airflow_home.AirflowError, match=f"port {up.ui_port} is used"):
        airflow_home.up(taken)
    nowhere = settings.model_copy(update={"ui_port": free_port(), "ui_host": "192.0.2.1"})  # no machine has it
    with pytest.raises(airflow_home.AirflowError, match=r"(?s)api-server ended.*assign requested address"):
        airflow_home.up(nowhere)
    assert airflow_home.processes(nowhere) == {}
    assert pids(up) == before


def test_down_stops_all_also_what_a_crash_left(up: Settings) -> None:
    processes = airflow_home.processes(up)
    processes["scheduler"].kill()
    processes["api-server"].kill()
    time.sleep(0.5)
    done = subprocess.run(
        [sys.executable, "-m", "cx360.cli", "down"],
        env=os.environ | {"CX360_HOME": str(up.home)},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert {"dag-processor", "triggerer", "what was left of scheduler", "PostgreSQL."} <= {
        *done.stdout.removeprefix("Stopped ").strip().split(", ")
    }
    left = [p.pid for p in psutil.process_iter() if str(up.home) in " ".join(environ(p))]
    assert left == []
    assert postgres.is_free(up.ui_port)
    assert airflow_home.down(up) == []
    assert healthy(up, "api-server") == 1


def environ(process: psutil.Process) -> list[str]:
    try:
        mine = process.environ() if process.pid != os.getpid() else {}
    except psutil.Error:
        return []
    return [mine.get("AIRFLOW_HOME", ""), mine.get("CX360_HOME", "")]


def eventually(look: Any, good: Any, seconds: float = 60) -> Any:
    """What ``look`` gives as soon as it is good."""
    until = time.monotonic() + seconds
    while not good(found := look()):
        assert time.monotonic() < until, found
        time.sleep(0.5)
    return found
