"""Scheduler: Airflow's settings, runs that wait for ever, and the pool of the one writer.

Airflow's own database is read as it is, without importing Airflow, which takes seconds and may be what is broken.
"""

import configparser
import os
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

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


def check_partitions(settings: Settings, older: timedelta) -> Iterator[Finding]:
    """Partitions whose run was never made: feeds that finish at the same moment can leave two half-filled ones.

    Then neither ever has all its assets, and the build of that day never starts.
    """
    with _metadata(settings) as airflow:
        if airflow is None or not _has(airflow, "asset_partition_dag_run"):
            yield Finding("partitions", "ok", "no Airflow database here, nothing is scheduled")
            return
        waiting = _waiting(airflow, older)
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
    if not waiting:
        yield Finding("partitions", "ok", "no partition waits for its build for long")


def _waiting(airflow: "Connection", older: timedelta) -> dict[tuple[str, str], list[set[str]]]:
    """Assets of each run that waits longer, by DAG and partition; without those built in another way since."""
    from sqlalchemy import text

    pending: Any = airflow.execute(text(_PENDING))
    runs: dict[int, tuple[str, str, datetime, set[str]]] = {}
    for number, dag_id, key, created, asset in pending:
        runs.setdefault(number, (dag_id, key, _moment(created), set()))[3].update([asset] if asset else [])
    built: dict[tuple[str, str], datetime] = {}
    if runs:
        made: Any = airflow.execute(text(_RUNS))
        for dag_id, key, conf, created in made:
            for day in (key, _as_of(conf)):
                if day and created is not None:
                    built.setdefault((dag_id, day), _moment(created))
    waiting: dict[tuple[str, str], list[set[str]]] = defaultdict(list)
    for dag_id, key, created, assets in runs.values():
        since = built.get((dag_id, key))
        if datetime.now(UTC) - created > older and (since is None or since < created):
            waiting[dag_id, key].append(assets)
    return dict(waiting)


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
    import json

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
