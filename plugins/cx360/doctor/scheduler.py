"""Scheduler: Airflow's settings and services, red runs, days nobody builds, and the pool of the one writer.

Airflow's own database is read as it is, without importing Airflow, which takes seconds and may be what is broken.
"""

import configparser
import json
import os
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cx360 import airflow_home
from cx360.airflow_home import WAREHOUSE_POOL
from cx360.doctor import database
from cx360.doctor.report import Finding
from cx360.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy.engine import URL, Connection

#: Secrets that stand in public files for everybody to copy.
_KNOWN_SECRETS = {"airflow", "airflow_jwt_secret", "temporary_key", "changeme", "secret", "test"}

_SECRETS = (("api_auth", "jwt_secret"), ("api", "secret_key"), ("core", "fernet_key"))

#: Runs of partitions that wait for assets, with those they have.
_PENDING = """
    select p.id, p.target_dag_id, p.partition_key, p.created_at, a.name
    from asset_partition_dag_run as p
    left join partitioned_asset_key_log as l on l.asset_partition_dag_run_id = p.id
    left join asset as a on a.id = l.asset_id
    where p.created_dag_run_id is null
    order by p.id
"""

#: Assets each DAG waits for, with the DAG that makes them.
_WANTED = """
    select r.dag_id, a.name, t.dag_id
    from dag_schedule_asset_reference as r
    join asset as a on a.id = r.asset_id
    left join task_outlet_asset_reference as t on t.asset_id = a.id
    order by a.name, t.dag_id
"""

_RUNS = "select dag_id, partition_key, conf, created_at from dag_run order by id desc"

#: When each DAG was last told that a partition is there; Airflow forgets that for a DAG that is paused.
_TOLD = """
    select r.dag_id, e.partition_key, max(e.timestamp)
    from asset_event as e join dag_schedule_asset_reference as r on r.asset_id = e.asset_id
    where e.partition_key is not null and e.timestamp > :since
    group by r.dag_id, e.partition_key
"""
_REMEMBERED = timedelta(days=31)

_BEAT = "select state, latest_heartbeat from job where job_type = 'SchedulerJob' order by id desc limit 1"

#: A scheduler says every few seconds that it is there.
_SILENCE = timedelta(minutes=2)

_PAUSED = "select dag_id from dag where is_paused and dag_id in ('deliveries', 'profile') order by dag_id"

_LAST_RUN = """
    select run_id, partition_key, conf, state, end_date from dag_run
    where dag_id = :dag_id and start_date is not null order by start_date desc, id desc limit 1
"""

_RED = """
    select task_id, map_index, try_number from task_instance
    where dag_id = :dag_id and run_id = :run_id and state = 'failed' order by start_date, map_index
"""


def _setting(section: str, key: str) -> str | None:
    """A setting of the Airflow the environment names: its variable, else airflow.cfg; None is Airflow's default."""
    variable = os.environ.get(f"AIRFLOW__{section.upper()}__{key.upper()}")
    if variable is not None:
        return variable
    config = configparser.ConfigParser(interpolation=None, strict=False)
    home = os.environ.get("AIRFLOW_HOME")
    config.read(Path(home).expanduser() / "airflow.cfg" if home else [])
    return config.get(section, key, fallback=None)


def _is_named() -> bool:
    """Whether the environment names an Airflow; the one `make run` uses sets itself."""
    return "AIRFLOW_HOME" in os.environ or any(name.startswith("AIRFLOW__") for name in os.environ)


def check_settings(settings: Settings, older: timedelta) -> Iterator[Finding]:
    """Airflow's insecure defaults."""
    if not _is_named():
        yield Finding("airflow", "ok", "no AIRFLOW_HOME and no AIRFLOW__… here: cx360 sets its own Airflow's settings")
        return
    found = list(_insecure())
    yield from found
    if not found:
        yield Finding("airflow", "ok", "no example DAGs, no known secrets, not everybody an administrator")


def _insecure() -> Iterator[Finding]:
    def is_on(section: str, key: str, default: bool) -> bool:
        return (_setting(section, key) or str(default)).lower() in ("true", "t", "1")

    def off(section: str, key: str) -> str:
        return f"export AIRFLOW__{section.upper()}__{key.upper()}=False  (for every process of Airflow)"

    if is_on("core", "load_examples", True):
        what = "Airflow's example DAGs are on: code nobody reviewed, beside yours"
        yield Finding("airflow", "warning", what, off("core", "load_examples"))
    if is_on("core", "simple_auth_manager_all_admins", False):
        what = "whoever reaches Airflow's UI is its administrator, without a password"
        yield Finding("airflow", "error", what, off("core", "simple_auth_manager_all_admins"))
    for section, key in _SECRETS:
        secret = _setting(section, key)
        if secret is not None and (secret in _KNOWN_SECRETS or (secret == "" and key == "fernet_key")):
            name = f"AIRFLOW__{section.upper()}__{key.upper()}"
            what = f"Airflow's {section}.{key} is {'empty' if not secret else 'one that public examples use'}"
            cure = "$(openssl rand -base64 32 | tr '+/' '-_')"
            yield Finding("airflow", "error", what, f'export {name}="{cure}"  (the same for every process of Airflow)')
    if "://airflow:airflow@" in (_setting("database", "sql_alchemy_conn") or ""):
        what = "Airflow's database has the password every example uses"
        yield Finding("airflow", "error", what, "as administrator: alter role airflow password '…'")


@contextmanager
def _metadata(settings: Settings) -> "Iterator[Connection | None]":
    """Airflow's database: the one the environment names, or the one beside ours; None where nothing is scheduled."""
    from sqlalchemy import create_engine, make_url

    named = _setting("database", "sql_alchemy_conn")
    place = make_url(named) if named else _beside_ours(settings)
    if place is not None and place.get_backend_name() == "postgresql":
        place = place.set(drivername="postgresql+psycopg").update_query_dict({"connect_timeout": "5"})
    if place is None:
        yield None
        return
    engine = create_engine(place, hide_parameters=True)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def _beside_ours(settings: Settings) -> "URL | None":
    """URL of the database ``<name>_airflow`` on our server; None when there is none."""
    from sqlalchemy import make_url

    from cx360 import postgres

    if settings.database_url is None and not (settings.home / "postgres" / "data").exists():
        return None
    with database.connect(settings) as connection:
        name = f"{connection.info.dbname}_airflow"
        if not connection.execute("select 1 from pg_database where datname = %s", [name]).fetchone():
            return None
    return make_url(postgres.url(settings)).set(database=name)


def check_services(settings: Settings, older: timedelta) -> Iterator[Finding]:
    """Services that ended, by their processes; where none is seen, by the scheduler's last sign."""
    from sqlalchemy import text

    running = airflow_home.processes(settings)
    ended = [service for service in airflow_home.SERVICES if service not in running]
    if running and ended:
        logs = airflow_home.folder(settings) / "logs"
        what = f"Airflow's {', '.join(ended)} ended, nothing goes on without; why: the end of {logs / ended[0]}.log"
        yield Finding("services", "error", what, "make up  (starts what is missing; lost tasks are taken up again)")
    elif running:
        yield Finding("services", "ok", f"Airflow's {', '.join(running)} run")
    if running:
        return
    with _metadata(settings) as airflow:
        beat: Any = airflow.execute(text(_BEAT)).first() if airflow is not None and _has(airflow, "job") else None
    if beat and beat[0] in ("running", "failed") and datetime.now(UTC) - _moment(beat[1]) > _SILENCE:
        what = f"Airflow's scheduler was not stopped and gave no sign since {_moment(beat[1]):%Y-%m-%d %H:%M} UTC"
        yield Finding("services", "error", what, "make up  (or as Airflow is started here)")
    else:
        yield Finding("services", "ok", "no service of Airflow runs here, and none was lost")


def check_runs(settings: Settings, older: timedelta) -> Iterator[Finding]:
    """The DAGs are switched on, and the last run of each was not red: else the task, its message and its log."""
    from sqlalchemy import text

    with _metadata(settings) as airflow:
        if airflow is None or not _has(airflow, "dag_run"):
            yield Finding("runs", "ok", "no Airflow database here, nothing is scheduled")
            return
        found = [
            Finding(
                "runs",
                "warning",
                f"{dag_id} is paused: a day that closes meanwhile is not built by itself later",
                f"cx360 airflow dags unpause {dag_id}",
            )
            for (dag_id,) in airflow.execute(text(_PAUSED))
        ]
        found += [red for dag_id in ("deliveries", "profile") if (red := _red(settings, airflow, dag_id))]
    yield from found
    if not found:
        yield Finding("runs", "ok", "both DAGs are on, and the last run of each was not red")


def _red(settings: Settings, airflow: "Connection", dag_id: str) -> Finding | None:
    from sqlalchemy import text

    run: Any = airflow.execute(text(_LAST_RUN), {"dag_id": dag_id}).first()
    if run is None or run[3] != "failed":
        return None
    run_id, key, conf, _, ended = run
    tasks: Any = airflow.execute(text(_RED), {"dag_id": dag_id, "run_id": run_id}).fetchall()
    told = [f"{task_id}: {_said(settings, dag_id, run_id, task_id, index, n)}" for task_id, index, n in tasks[:3]]
    day = key or _as_of(conf)
    what = f"{dag_id}{f' of {day}' if day else ''} ended red {_moment(ended):%Y-%m-%d %H:%M} UTC. {' '.join(told)}"
    if dag_id == "profile":
        return Finding("runs", "error", what, "mend it (docs/runbook.md), then: cx360 airflow dags trigger profile")
    again = f"cx360 airflow dags clear deliveries --partition-key {key} -y" if key else "cx360 airflow dags trigger"
    return Finding("runs", "warning", what, f"cx360 status  (what is kept out; when that is decided: {again})")


def _said(settings: Settings, dag_id: str, run_id: str, task_id: str, index: int, attempt: int) -> str:
    """The error in a task's log, and where that is; of an error that is not ours its kind, it may quote values."""
    logs = Path(_setting("logging", "base_log_folder") or airflow_home.folder(settings) / "logs")
    mapped = [f"map_index={index}"] if index >= 0 else []
    log = logs.joinpath(f"dag_id={dag_id}", f"run_id={run_id}", f"task_id={task_id}", *mapped, f"attempt={attempt}.log")
    try:
        errors = [error for line in log.read_text().splitlines() for error in _errors(line)]
    except OSError:
        errors = []
    if not errors:
        return f"it says no error, its process may have been killed. Log: {log}"
    kind, message = str(errors[-1]["exc_type"]), " ".join(str(errors[-1]["exc_value"]).splitlines()[:2])
    frames = errors[-1].get("frames") or [{"filename": ""}]
    is_ours = "/cx360/" in frames[-1]["filename"] or message.startswith("[Errno ")
    return f"{kind}{f': {message}'.rstrip('.') if is_ours else ''}. Log: {log}"


def _errors(line: str) -> list[dict[str, Any]]:
    """What a line of a task's log says was raised; a line cut off by a full disk says nothing."""
    try:
        said = json.loads(line)
    except ValueError:
        return []
    return list(said.get("error_detail") or ()) if isinstance(said, dict) else []


def check_partitions(settings: Settings, older: timedelta) -> Iterator[Finding]:
    """Partitions whose run was never made: feeds that finish at the same moment can leave two half-filled ones.

    Then neither ever has all its assets, and the build of that day never starts. Nor does that of a day which closed
    while the DAG was paused, or whose event was lost.
    """
    with _metadata(settings) as airflow:
        if airflow is None or not _has(airflow, "asset_partition_dag_run"):
            yield Finding("partitions", "ok", "no Airflow database here, nothing is scheduled")
            return
        waiting = _waiting(airflow, older)
        lost = [each for each in _lost(airflow, older) if each not in waiting]
        wanted = _wanted(airflow)
    for (dag_id, key), runs in sorted(waiting.items()):
        there = set().union(*runs)
        missing = [name for name in wanted.get(dag_id, {}) if name not in there]
        halves = f"{len(runs)} half-filled runs wait for it: none will ever start. " if len(runs) > 1 else ""
        lacks = f"missing {', '.join(missing)}" if missing else "all its assets are there"
        cure = f'cx360 airflow dags trigger {dag_id} --conf \'{{"as_of": "{key}"}}\''
        if missing:
            makers = sorted({maker for name in missing for maker in wanted[dag_id][name]})
            cure = f"see why {', '.join(makers) or 'their DAGs'} did not finish; or build without them: {cure}"
        yield Finding(
            "partitions",
            "error" if halves else "warning",
            f"{dag_id} was never built for {key}. {halves}{lacks}",
            cure,
        )
    for dag_id, key in lost:
        yield Finding(
            "partitions",
            "warning",
            f"{dag_id} was never built for {key} since that day was closed last: it was paused, or the event was lost",
            f"cx360 airflow dags clear deliveries --partition-key {key} -y  (closes the day again)",
        )
    if not waiting and not lost:
        yield Finding("partitions", "ok", "no partition waits for its build for long")


def _waiting(airflow: "Connection", older: timedelta) -> dict[tuple[str, str], list[set[str]]]:
    """Assets of each run that waits longer, by DAG and partition; without those built in another way since."""
    from sqlalchemy import text

    pending: Any = airflow.execute(text(_PENDING))
    runs: dict[int, tuple[str, str, datetime, set[str]]] = {}
    for number, dag_id, key, created, asset in pending:
        runs.setdefault(number, (dag_id, key, _moment(created), set()))[3].update([asset] if asset else [])
    built = _built(airflow) if runs else {}
    waiting: dict[tuple[str, str], list[set[str]]] = defaultdict(list)
    for dag_id, key, created, assets in runs.values():
        since = built.get((dag_id, key))
        if datetime.now(UTC) - created > older and (since is None or since < created):
            waiting[dag_id, key].append(assets)
    return dict(waiting)


def _lost(airflow: "Connection", older: timedelta) -> list[tuple[str, str]]:
    """DAGs and partitions they were told of longer ago, without a run since, of that day or of all that is known."""
    from sqlalchemy import text

    if not _has(airflow, "asset_event"):
        return []
    now, built = datetime.now(UTC), _built(airflow)
    told: Any = airflow.execute(text(_TOLD), {"since": now - _REMEMBERED})
    return sorted(
        (dag_id, key)
        for dag_id, key, at in told
        if now - _moment(at) > older
        and not any((since := built.get((dag_id, day))) and since >= _moment(at) for day in (key, ""))
    )


def _built(airflow: "Connection") -> dict[tuple[str, str], datetime]:
    """When the last run of each DAG and day was made; the day is empty for one that was told none."""
    from sqlalchemy import text

    built: dict[tuple[str, str], datetime] = {}
    made: Any = airflow.execute(text(_RUNS))
    for dag_id, key, conf, created in made:
        if created is not None:
            built.setdefault((dag_id, key or _as_of(conf) or ""), _moment(created))
    return built


def _wanted(airflow: "Connection") -> dict[str, dict[str, list[str]]]:
    """By DAG: the assets it waits for, and the DAGs that make each."""
    from sqlalchemy import text

    wanted: dict[str, dict[str, list[str]]] = defaultdict(dict)
    found: Any = airflow.execute(text(_WANTED))
    for dag_id, asset, maker in found:
        wanted[dag_id].setdefault(asset, []).extend([maker] if maker else [])
    return dict(wanted)


def _moment(value: datetime | str) -> datetime:
    """A moment of Airflow's database, which SQLite gives as text; always UTC."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _as_of(conf: Any) -> str | None:
    """The day a run was told by hand."""
    told = json.loads(conf) if isinstance(conf, str) and conf else conf
    return told.get("as_of") if isinstance(told, dict) else None


def check_pool(settings: Settings, older: timedelta) -> Iterator[Finding]:
    """The pool of the warehouse has exactly one slot: with more, two tasks write one file; with none, none does."""
    from sqlalchemy import text

    with _metadata(settings) as airflow:
        if airflow is None or not _has(airflow, "slot_pool"):
            yield Finding("pool", "ok", "no Airflow database here, nothing is scheduled")
            return
        slots = airflow.execute(
            text("select slots from slot_pool where pool = :pool"), {"pool": WAREHOUSE_POOL}
        ).scalar()
    if slots == 1:
        yield Finding("pool", "ok", f"pool {WAREHOUSE_POOL} has one slot")
        return
    what = "is missing: tasks in it never start" if slots is None else f"has {slots} slots instead of one"
    cure = f'cx360 airflow pools set {WAREHOUSE_POOL} 1 "Tasks that write the warehouse, one at a time"'
    yield Finding("pool", "error", f"pool {WAREHOUSE_POOL} {what}", cure)


def _has(airflow: "Connection", table: str) -> bool:
    from sqlalchemy import inspect

    return inspect(airflow).has_table(table)
