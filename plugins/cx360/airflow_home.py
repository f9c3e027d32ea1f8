"""Airflow as a deployment runs it: its settings, its database, its four services.

Here belongs the one environment every Airflow process of ours gets (``make run``, ``make up``, containers), and
starting, watching and stopping the services on this machine. What DAGs do is in ``dags`` and ``pipeline``; running
them without services, for a first look, in ``airflow_run``.

A process says itself whose it is, in its environment (:data:`_MARK`): there are no files of process ids that could be
stale, and what a killed service leaves behind is found as well.

As a program it is what containers run::

    python -m cx360.airflow_home init                  make or upgrade all databases, the pool, the user
    python -m cx360.airflow_home SERVICE               become that service
    python -m cx360.airflow_home healthy SERVICE       exit code 0 when it is
"""

import base64
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

from cx360 import ledger, postgres
from cx360.settings import PROJECT, Settings

if TYPE_CHECKING:
    import psutil  # type: ignore[import-untyped]

#: Arguments of Airflow's command line by service, in the order they are started. Nobody needs the servers of logs:
#: all services read the same folder, and they would listen on every interface.
SERVICES = {
    "api-server": ("api-server",),
    "scheduler": ("scheduler", "--skip-serve-logs"),
    "dag-processor": ("dag-processor",),
    "triggerer": ("triggerer", "--skip-serve-logs"),
}

#: Pool of the tasks that write the warehouse: DuckDB has one writer.
WAREHOUSE_POOL = "cx360_warehouse"

#: The one user of the UI.
USER = "admin"

#: Names the service in the environment of its processes, and of all they start.
_MARK = "CX360_SERVICE"

#: Seconds until a service must be healthy: a machine that is busy otherwise takes minutes to import Airflow.
_PATIENCE = 300

#: Seconds running tasks have to end before they are killed; without the API server none ends well.
_GRACE = 30
_NO_GRACE = 3


class AirflowError(RuntimeError):
    """Airflow cannot be started; the message says why and what to do next."""


def folder(settings: Settings) -> Path:
    """``AIRFLOW_HOME``."""
    return settings.home.resolve() / "airflow"


def environment(settings: Settings, metadata: str | None = None) -> dict[str, str]:
    """What every Airflow process of this deployment has in its environment.

    Args:
        settings: the deployment.
        metadata: URL of Airflow's own database; default: one beside the serving database, whose embedded server is
            started when it is down.
    """
    home = folder(settings)
    metadata = metadata or postgres.airflow_url(settings)
    direct = _without_proxy(settings)
    return {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        # Nothing waits for a person to switch it on: after `make up` the night runs.
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": str(max(2, settings.threads)),  # a task per core
        "AIRFLOW__CORE__FERNET_KEY": _fernet_key(settings),
        # Airflow's default asks the name service for a name.
        "AIRFLOW__CORE__HOSTNAME_CALLABLE": "socket.gethostname",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{_api(settings)}/execution/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(password_file(settings)),
        "AIRFLOW__API__HOST": settings.ui_host,
        "AIRFLOW__API__PORT": str(settings.ui_port),
        "AIRFLOW__API__SECRET_KEY": _secret(settings, "airflow_api"),
        "AIRFLOW__API_AUTH__JWT_SECRET": _secret(settings, "airflow_jwt"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": metadata,
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": metadata.replace("sqlite://", "sqlite+aiosqlite://", 1),
        # A table of statistics every half minute is for nobody; two DAG files need one process.
        "AIRFLOW__DAG_PROCESSOR__PRINT_STATS_INTERVAL": "0",
        "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "1",
        # What a killed scheduler or task leaves is taken up within a minute or two, not five.
        "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "30",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "120",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
        "AIRFLOW__LOGGING__DAG_PROCESSOR_CHILD_PROCESS_LOG_DIRECTORY": str(home / "logs" / "dag_processor"),
        "AIRFLOW__LOGGING__COLORED_CONSOLE_LOG": "False",
        # Else a process that changes its title writes over its environment, and no longer says whose it is.
        "SPT_NOENV": "1",
        # Tasks must reach the API of their own deployment, also where everything else goes through a proxy.
        "NO_PROXY": direct,
        "no_proxy": direct,
    }


def password_file(settings: Settings) -> Path:
    """Where the password of the UI's user is kept, readable by its owner only: ``{"admin": "…"}``."""
    return settings.home.resolve() / "keys" / "airflow_users.json"


def password(settings: Settings) -> str:
    """Password of the UI's user."""
    return str(json.loads(password_file(settings).read_text())[USER])


def initialise(settings: Settings) -> bool:
    """Make or upgrade the ledger, Airflow's database, the pool and the user; harmless when that was done.

    Returns:
        Whether the user is new.

    Raises:
        AirflowError: Airflow could not; with the end of what it said.
        postgres.PostgresError: there is no database for it.
    """
    ledger.engine(settings)
    postgres.ensure_airflow(settings)
    new = _make_user(settings)
    log = _log(settings, "init")
    with log.open("wb") as said:
        done = subprocess.run(
            [sys.executable, "-c", _INITIALISE],
            env=os.environ | environment(settings),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode:
        raise AirflowError(f"Airflow's database cannot be made or upgraded. The end of {log}:\n{_tail(log)}")
    return new


#: In a process of its own: Airflow reads its settings when it is imported, once.
_INITIALISE = f"""
from airflow.models.pool import Pool
from airflow.utils.db import initdb

initdb()
Pool.create_or_update_pool({WAREHOUSE_POOL!r}, 1, "Tasks that write the warehouse, one at a time", False)
"""


def start(settings: Settings, *services: str) -> None:
    """Start those services that do not run, or all; they go on running when this process ends.

    What an earlier, killed process of such a service left is ended first.
    """
    running = processes(settings)
    missing = [service for service in services or SERVICES if service not in running]
    if not missing:
        return
    stop(settings, *missing)
    values = os.environ | _deployment(settings)
    for service in missing:
        log = _log(settings, service)
        if log.exists():
            log.rename(log.with_suffix(".log.1"))
        with log.open("wb") as said:
            subprocess.Popen(
                [sys.executable, "-m", "cx360.airflow_home", service],
                env=values | {_MARK: service},
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )


def stop(settings: Settings, *services: str) -> list[str]:
    """Stop those services or all, and everything they started; running tasks have half a minute to end.

    Returns:
        What ran, in words.
    """
    wanted, stopped = services or tuple(SERVICES), list[str]()
    grace = _GRACE if "api-server" in processes(settings) else _NO_GRACE
    for wave in (set(wanted) - {"api-server"}, set(wanted) & {"api-server"}):  # tasks need the API until they end
        main = {service: process for service, process in processes(settings).items() if service in wave}
        for process in main.values():
            _signal(process, "terminate")
        _wait([*main.values()], grace)
        stopped += main
        for service in sorted(wave):
            if left := _marked(settings, service):  # a task without its service comes to nothing, and is run again
                for process in left:
                    _signal(process, "kill")
                _wait(left, _GRACE)
                stopped.append(f"what was left of {service}")
    return stopped


def processes(settings: Settings) -> "dict[str, psutil.Process]":
    """The main process of each service that runs, by service."""
    return {
        service: process
        for service in SERVICES
        for process in _marked(settings, service)
        if _leads(process) and process.is_running()
    }


def status(settings: Settings) -> dict[str, str]:
    """Each service and the metadata database: ``healthy``, ``unhealthy``, or ``down`` where no process runs.

    A heartbeat of a process that is no more does not count.
    """
    running = processes(settings)
    said = _health(settings) if "api-server" in running else None
    states = {"metadatabase": said["metadatabase"]["status"] if said else "unhealthy"}
    for service in SERVICES:
        if service not in running:
            states[service] = "down"
        elif service == "api-server":
            states[service] = "healthy" if said else "unhealthy"
        else:
            alive = said and _beats(said, service, running[service].create_time())
            states[service] = "healthy" if alive else "unhealthy"
    return states


def wait_until_healthy(settings: Settings, *services: str) -> None:
    """Return when those services, or all, are healthy.

    Raises:
        AirflowError: one ended, or is not healthy in time; with the end of its log.
    """
    wanted = services or tuple(SERVICES)
    until = time.monotonic() + _PATIENCE
    while True:
        states = status(settings)
        sick = [service for service in wanted if states[service] != "healthy"]
        if not sick:
            return
        dead = [service for service in sick if states[service] == "down"]
        if dead or time.monotonic() > until:
            service, what = (dead or sick)[0], "ended" if dead else f"is not healthy after {_PATIENCE} s"
            log = _log(settings, service)
            raise AirflowError(f"Airflow's {service} {what}. The end of {log}:\n{_tail(log)}")
        time.sleep(0.5)


def up(settings: Settings) -> bool:
    """Start PostgreSQL and all of Airflow, and wait until all of it is healthy; harmless when it runs.

    Returns:
        Whether the UI's user was made just now.

    Raises:
        AirflowError: something does not start, or the port of the UI is taken; what was started is stopped again.
        postgres.PostgresError: there is no database.
    """
    before = processes(settings)
    if len(before) == len(SERVICES):
        wait_until_healthy(settings)
        return False
    if "api-server" not in before and not postgres.is_free(settings.ui_port):
        raise AirflowError(
            f"port {settings.ui_port} is used by another program: stop that, or choose another port for the UI "
            "(CX360_UI_PORT=8081)"
        )
    new = initialise(settings)
    try:
        start(settings)
        wait_until_healthy(settings)
    except AirflowError:
        stop(settings, *(service for service in SERVICES if service not in before))
        raise
    return new


def down(settings: Settings) -> list[str]:
    """Stop all of Airflow and the embedded PostgreSQL, also what a crash left.

    Returns:
        What ran, in words.
    """
    stopped = stop(settings)
    if postgres.stop(settings):
        stopped.append("PostgreSQL")
    return stopped


def _deployment(settings: Settings) -> dict[str, str]:
    """The settings that are not defaults, as the variables tasks read them from."""
    values: dict[str, str] = {}
    for name in settings.model_fields_set | {"home"}:
        value = getattr(settings, name)
        if value is not None:
            plain = value.get_secret_value() if hasattr(value, "get_secret_value") else value
            values[f"CX360_{name.upper()}"] = str(plain.resolve() if isinstance(plain, Path) else plain)
    return values


def _api(settings: Settings) -> str:
    """Where the services of this deployment find the API server."""
    return settings.api_url or f"http://127.0.0.1:{settings.ui_port}"


def _without_proxy(settings: Settings) -> str:
    """Hosts to speak to directly: what the caller says, and our own."""
    said = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    return ",".join(
        dict.fromkeys([*filter(None, said.split(",")), "127.0.0.1", str(urlsplit(_api(settings)).hostname)])
    )


def _secret(settings: Settings, name: str) -> str:
    return settings.secret(name).decode().strip()


def _fernet_key(settings: Settings) -> str:
    """The key Airflow encrypts connections and variables with: 32 bytes, base64."""
    return base64.urlsafe_b64encode(bytes.fromhex(_secret(settings, "airflow_fernet"))).decode()


def _make_user(settings: Settings) -> bool:
    path = password_file(settings)
    if path.exists():
        return False
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.touch(mode=0o600)
    path.write_text(json.dumps({USER: secrets.token_urlsafe(18)}) + "\n")
    return True


def _log(settings: Settings, service: str) -> Path:
    path = folder(settings) / "logs" / f"{service}.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _tail(log: Path, lines: int = 15) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def _marked(settings: Settings, service: str) -> "list[psutil.Process]":
    """Every process of that service and all it started, but for PostgreSQL, which outlives them."""
    import psutil

    home, found = str(settings.home.resolve()), []
    for process in psutil.process_iter():
        try:
            mine = process.environ()
            if mine.get(_MARK) == service and mine.get("CX360_HOME") == home and process.name() != "postgres":
                found.append(process)
        except psutil.Error:
            continue  # another user's, or gone
    return found


def _leads(process: "psutil.Process") -> bool:
    """Whether it is the one that was started, not one of those it started."""
    try:
        return os.getsid(process.pid) == process.pid
    except ProcessLookupError:
        return False


def _signal(process: "psutil.Process", how: str) -> None:
    import psutil

    try:
        getattr(process, how)()
    except psutil.NoSuchProcess:
        return


def _wait(found: "Collection[psutil.Process]", seconds: float) -> None:
    """Return when all have ended, also those their parent has not heard of yet; at the latest after that time."""
    import psutil

    def lives(process: psutil.Process) -> bool:
        try:
            return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
        except psutil.NoSuchProcess:
            return False

    until = time.monotonic() + seconds
    while any(map(lives, found)) and time.monotonic() < until:
        time.sleep(0.1)


def _health(settings: Settings) -> dict[str, Any] | None:
    """What the API server says of all services; null when it does not answer."""
    from urllib.request import ProxyHandler, build_opener

    try:
        with build_opener(ProxyHandler({})).open(f"{_api(settings)}/api/v2/monitor/health", timeout=5) as answer:
            said: dict[str, Any] = json.load(answer)
            return said
    except OSError:
        return None


def _beats(said: dict[str, Any], service: str, since: float) -> bool:
    """Whether the service is healthy by a heartbeat later than that moment (seconds since 1970)."""
    name = service.replace("-", "_")
    beat = said[name].get(f"latest_{name}_heartbeat")
    alive: bool = said[name]["status"] == "healthy" and datetime.fromisoformat(beat).timestamp() >= since
    return alive


def become(settings: Settings, *arguments: str) -> NoReturn:
    """Turn this process into Airflow's command line, in this deployment's environment."""
    values = os.environ | _deployment(settings) | environment(settings)
    os.execve(sys.executable, [sys.executable, "-m", "airflow", *arguments], values)


def main(arguments: list[str]) -> int:
    """What containers run; see the module's docstring."""
    settings = Settings()
    match arguments:
        case ["init"]:
            initialise(settings)
            sys.stdout.write(f"The databases are ready. The password of {USER} is in {password_file(settings)}\n")
            return 0
        case ["healthy", service] if service in SERVICES:
            said = _health(settings)
            return 0 if said and (service == "api-server" or _beats(said, service, 0)) else 1
        case [service] if service in SERVICES:
            become(settings, *SERVICES[service])
    sys.stderr.write(__doc__ or "")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
