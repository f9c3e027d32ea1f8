"""The doctor: each finding is provoked, and gone after its cure."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from pydantic import SecretStr
from sqlalchemy.engine import make_url
from typer.testing import CliRunner

from cx360 import airflow_home, cli, doctor, gates, lake, landing, ledger, pipeline, postgres, publish, replay
from cx360.doctor import Finding
from cx360.engines import duckdb as duckdb_engine
from cx360.settings import PROJECT, Settings
from tests.pipeline.bank import deliver, settle, transactions

DEFAULT = timedelta(minutes=15)


def look(check: str, settings: Settings, older: timedelta = DEFAULT) -> list[Finding]:
    """What one check finds that is not well."""
    return [found for found in doctor._look(check, doctor.CHECKS[check], settings, older) if found.level != "ok"]


def one(check: str, settings: Settings, older: timedelta = DEFAULT) -> Finding:
    """Its only such finding; it has a cure."""
    (found,) = look(check, settings, older)
    assert found.cure
    return found


@pytest.fixture(scope="module")
def shared(new_home: Callable[[str], Settings]) -> Settings:
    """A home with two deliveries; tests leave it as they found it."""
    bank = settle(new_home("doctor"))
    for name in ("tx1.csv", "tx2.csv"):
        deliver(bank, name, transactions(f"{name};a1;01.03.2026;1,00;EUR;C;fee;\n"))
    landing.land(bank, "transactions")
    gates.check_deliveries(bank, "transactions", "test")
    return bank


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The environment, without any Airflow other tests of this process named."""
    for name in [name for name in os.environ if name.startswith(("AIRFLOW", "PGSSL", "DBT_SEND", "GX_"))]:
        monkeypatch.delenv(name)
    return monkeypatch


def other(settings: Settings, **changes: object) -> Settings:
    """The same deployment but for some settings; a copy would keep folders worked out before."""
    return Settings(**settings.model_dump() | changes)  # type: ignore[arg-type]


def by_command(cure: str | None) -> None:
    """Do what a cure says."""
    assert cure
    subprocess.run(["bash", "-c", cure.partition("  (")[0]], check=True, timeout=60)


def test_nothing_is_wrong_with_a_sound_home(shared: Settings, outside: pytest.MonkeyPatch) -> None:
    wrong = [found for check in doctor.CHECKS for found in look(check, shared) if check not in ("versions", "disk")]
    assert wrong == []


# --- deployment --------------------------------------------------------------------------------------------------


def test_a_misspelt_setting(shared: Settings, outside: pytest.MonkeyPatch) -> None:
    outside.setenv("CX360_TIMEZON", "UTC")
    found = one("settings", shared)
    assert "CX360_TIMEZONE has" in found.what
    outside.delenv("CX360_TIMEZON")
    assert look("settings", shared) == []


def test_a_setting_that_is_none(outside: pytest.MonkeyPatch) -> None:
    outside.setenv("CX360_THREADS", "many")
    (found,) = doctor.examine(15)
    assert (found.level, found.what.split(":")[0]) == ("error", "CX360_THREADS")
    assert "many" not in found.what


def test_settings_are_told_with_their_origin_and_secrets_masked(shared: Settings, outside: pytest.MonkeyPatch) -> None:
    outside.setenv("CX360_DATABASE_URL", "not read here")
    secret = shared.model_copy(
        update={
            "database_url": SecretStr("postgresql://anna:hush@db/bank?password=hush"),
            "token_key": SecretStr("hush"),
        }
    )
    told = [found.what for found in doctor.CHECKS["settings"](secret, DEFAULT)]
    assert "CX360_DATABASE_URL=postgresql://anna:***@db/bank  (environment)" in told
    assert "CX360_TOKEN_KEY=***  (default)" in told
    assert not any("hush" in what for what in told)


def test_a_relative_home_and_one_that_is_not_there(
    shared: Settings, outside: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    outside.chdir(tmp_path)
    found = look("settings", other(shared, home=Path("somewhere")))
    assert [each.what.split(" ")[0] for each in found] == ["CX360_HOME=somewhere", "home"]
    assert f"CX360_HOME={tmp_path / 'somewhere'}" in str(found[0].cure)


def test_sources_that_cannot_be_read(shared: Settings, outside: pytest.MonkeyPatch) -> None:
    elsewhere = other(shared, sources="sources/nowhere")
    assert one("settings", elsewhere).level == "error"
    assert "could not check" in one("inbox", elsewhere).what


def test_versions_are_compared_with_the_lock_file(
    shared: Settings, outside: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert look("versions", shared) == []
    other = tmp_path / "duckdb-1.0.0.dist-info"
    other.mkdir()
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: duckdb\nVersion: 1.0.0\n")
    outside.setattr(sys, "path", [*sys.path, str(tmp_path)])
    found = one("versions", shared)
    [locked] = re.findall(r"^duckdb==(\S+)", (PROJECT / "requirements.lock").read_text(), re.MULTILINE)
    assert f"duckdb 1.0.0 instead of {locked}" in found.what
    assert "pip sync --require-hashes" in str(found.cure)


def test_keys_others_can_read(shared: Settings) -> None:
    key = shared.home / "keys" / "token"
    key.chmod(0o644)
    found = one("secrets", shared)
    assert str(key) in found.what
    by_command(found.cure)
    assert look("secrets", shared) == []


def test_keys_in_the_lake(shared: Settings, tmp_path: Path) -> None:
    keys, inside = shared.home / "keys", shared.lake / "keys"
    keys.rename(inside)
    keys.symlink_to(inside)
    found = one("secrets", shared)
    assert found.level == "error" and "in the lake" in found.what
    by_command(str(found.cure).replace("ELSEWHERE", str(tmp_path / "keys")))
    assert look("secrets", shared) == []
    keys.unlink()
    (tmp_path / "keys").rename(keys)


def test_a_lost_token_key(shared: Settings, tmp_path: Path) -> None:
    key = shared.home / "keys" / "token"
    key.rename(tmp_path / "token")
    assert "BEFORE anything is landed" in str(one("secrets", shared).cure)
    assert look("lake", shared) == []
    assert not key.exists(), "looking makes no key"
    (tmp_path / "token").rename(key)
    assert look("secrets", shared) == []


def test_a_lost_identity_key(shared: Settings) -> None:
    published = shared.publications / "2026-03-01-x"
    published.mkdir(parents=True)
    (published / "tables.json").write_text("[]")
    assert "another profile_id" in one("secrets", shared).what
    shared.secret("identity")
    assert look("secrets", shared) == []
    shutil.rmtree(shared.publications)
    (shared.home / "keys" / "identity").unlink()


def test_tokens_of_another_key(settings: Settings) -> None:
    bank = settle(settings)
    deliver(bank, "tx1.csv", transactions())
    landing.land(bank, "transactions")
    gates.check_deliveries(bank, "transactions", "test")
    (bank.home / "keys" / "token").unlink()
    bank.secret("token")
    found = one("lake", bank)
    assert "transactions" in found.what and "cx360 replay FEED" in str(found.cure)
    replay.replay(bank, "transactions", replay.Wanted(), lambda _: None)
    assert look("lake", bank) == []


def test_personal_data_others_can_read(shared: Settings) -> None:
    place = shared.lake / "pii"
    for folder in (shared.home, *shared.home.parents):  # pytest closes its own folder to others
        folder.chmod(folder.stat().st_mode | 0o011)
    place.chmod(0o755)
    found = one("exposure", shared)
    assert str(place) in found.what
    by_command(found.cure)
    assert look("exposure", shared) == []


def test_a_home_others_can_write(shared: Settings) -> None:
    shared.home.chmod(0o777)
    by_command(one("exposure", shared).cure)
    assert look("exposure", shared) == []


def test_postgresql_elsewhere_without_tls(shared: Settings, outside: pytest.MonkeyPatch) -> None:
    def at(url: str) -> Settings:
        return other(shared, database_url=SecretStr(url))

    url = "postgresql://anna:hush@db.bank.example/bank"
    found = one("exposure", at(url))
    assert "sslmode=prefer" in found.what and "hush" not in found.what
    assert "?sslmode=verify-full" in str(found.cure)
    assert look("exposure", at(f"{url}?sslmode=verify-full")) == []
    assert look("exposure", at("postgresql://anna:hush@localhost/bank")) == []


def test_telemetry_that_is_on(shared: Settings, outside: pytest.MonkeyPatch) -> None:
    outside.setenv("DBT_SEND_ANONYMOUS_USAGE_STATS", "True")
    assert "export DBT_SEND_ANONYMOUS_USAGE_STATS=false" in str(one("telemetry", shared).cure)
    outside.setenv("DBT_SEND_ANONYMOUS_USAGE_STATS", "false")
    assert look("telemetry", shared) == []


# --- the database ------------------------------------------------------------------------------------------------


def test_a_server_that_was_killed(embedded: Settings, outside: pytest.MonkeyPatch) -> None:
    assert look("postgres", embedded) == [], "nothing was ever run"
    ledger.engine(embedded)
    ledger.dispose()
    assert look("postgres", embedded) == []
    pid = int((embedded.home / "postgres/data/postmaster.pid").read_text().split("\n")[0])
    os.kill(pid, signal.SIGKILL)
    while postgres.is_running(embedded):
        time.sleep(0.05)
    found = one("postgres", embedded)
    assert found.level == "error" and "is down" in found.what
    assert "could not check: the embedded PostgreSQL is down" in one("locks", embedded).what
    outside.setenv("CX360_HOME", str(embedded.home))
    outside.setenv("CX360_SOURCES", "sources/synthetic_bank")
    assert CliRunner().invoke(cli.app, ["doctor"]).exit_code == 1
    assert CliRunner().invoke(cli.app, str(found.cure).split("  ")[0].split()[1:]).exit_code == 0
    assert look("postgres", embedded) == []


def test_a_lost_password_of_an_embedded_role(embedded: Settings, outside: pytest.MonkeyPatch) -> None:
    ledger.engine(embedded)
    ledger.dispose()
    file = embedded.home / "keys" / "postgres_cx360_bi"
    file.unlink()
    assert "cx360_bi cannot log in: the password" in one("postgres", embedded).what
    file.touch(mode=0o600)
    file.write_text("wrong")
    found = one("postgres", embedded)
    assert "password authentication failed" in found.what
    outside.setenv("CX360_HOME", str(embedded.home))
    outside.setenv("CX360_SOURCES", "sources/synthetic_bank")
    for command in str(found.cure).split("  ")[0].split(" && "):
        assert CliRunner().invoke(cli.app, command.split()[1:]).exit_code == 0
    assert look("postgres", embedded) == []


def test_a_server_that_cannot_be_reached_takes_nothing_else_down(shared: Settings, outside: pytest.MonkeyPatch) -> None:
    gone = other(shared, database_url=SecretStr("postgresql://anna:hush@127.0.0.1:1/bank"))
    found = one("postgres", gone)
    assert found.level == "error" and "hush" not in found.what
    for check in ("locks", "lake", "publications", "partitions", "pool"):
        assert "could not check" in one(check, gone).what
    assert look("disk", gone) == look("inbox", gone) == []


@pytest.mark.parametrize(("revision", "level"), [("0000", "warning"), ("9999", "error")])
def test_a_ledger_of_another_revision(shared: Settings, revision: str, level: str) -> None:
    with psycopg.connect(postgres.dsn(shared), autocommit=True) as connection:
        connection.execute("update ops.alembic_version set version_num = %s", [revision])
        assert one("postgres", shared).level == level
        connection.execute("update ops.alembic_version set version_num = %s", [ledger.newest_revision()])
    assert look("postgres", shared) == []


def test_a_lock_that_is_held(shared: Settings) -> None:
    now = timedelta(0)
    with psycopg.connect(postgres.dsn(shared), autocommit=True) as holder:
        holder.execute("select pg_advisory_lock(%s)", [publish.LOCK])
        assert look("locks", shared) == [], "a publication at work is no trouble"
        found = one("locks", shared, now)
        assert found.level == "warning" and "lock of publications" in found.what
        assert f"process {os.getpid()} " in found.what
        session = holder.info.backend_pid
        assert f"pg_terminate_backend({session})" in str(found.cure)
        with psycopg.connect(postgres.dsn(shared), autocommit=True) as other:
            other.execute("select pg_terminate_backend(%s)", [session])
    assert look("locks", shared, now) == []


def test_a_transaction_that_blocks(shared: Settings) -> None:
    with psycopg.connect(postgres.dsn(shared)) as idle:
        idle.execute("select count(*) from ops.deliveries")
        time.sleep(0.01)
        found = one("locks", shared, timedelta(0))
        assert found.level == "warning" and "idle in transaction" in found.what
        idle.execute("lock table ops.deliveries")
        waiting = subprocess.Popen(
            [sys.executable, "-c", _WAIT, postgres.dsn(shared)], stdout=subprocess.PIPE, text=True
        )
        assert waiting.stdout is not None and waiting.stdout.readline()
        found = next(each for each in wait_for(lambda: look("locks", shared, timedelta(0))) if each.level == "error")
        assert "it blocks 1 others" in found.what
        idle.rollback()
        assert waiting.wait(30) == 0
    assert look("locks", shared, timedelta(0)) == []


_WAIT = """
import sys, psycopg
with psycopg.connect(sys.argv[1]) as connection:
    print("connected", flush=True)
    connection.execute("lock table ops.deliveries")
"""


def wait_for(look_again: Callable[[], list[Finding]]) -> list[Finding]:
    """Findings, as soon as one is an error."""
    for _ in range(200):
        found = look_again()
        if any(each.level == "error" for each in found):
            return found
        time.sleep(0.05)
    raise AssertionError("no error was found")


# --- disk, lake, inbox -------------------------------------------------------------------------------------------


def test_what_a_killed_process_left(shared: Settings) -> None:
    left = shared.staging / "tmp a b"
    left.mkdir()
    (left / "half").write_bytes(b"x" * 2048)
    assert look("leftovers", shared) == [], "it may be at work"
    found = one("leftovers", shared, timedelta(0))
    assert "2 KiB" in found.what
    with (left / "half").open():
        assert look("leftovers", shared, timedelta(0)) == [], "somebody has it open"
    by_command(found.cure)
    assert look("leftovers", shared, timedelta(0)) == []


def test_a_damaged_warehouse(shared: Settings) -> None:
    shared.warehouse.parent.mkdir(parents=True, exist_ok=True)
    shared.warehouse.write_bytes(b"no database at all")
    found = one("warehouse", shared)
    assert found.level == "error"
    by_command(found.cure)
    assert look("warehouse", shared) == []


def test_a_warehouse_somebody_holds(shared: Settings) -> None:
    with duckdb_engine.connect(shared) as db:
        db.execute("create table t (i integer)")
    holder = subprocess.Popen([sys.executable, "-c", _HOLD, str(shared.warehouse)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None and holder.stdout.readline()
    found = one("warehouse", shared, timedelta(0))
    assert f"process {holder.pid} " in found.what
    assert look("warehouse", shared) == [], "a build at work is no trouble"
    by_command(str(found.cure).partition(": ")[2])
    holder.wait(30)
    assert look("warehouse", shared, timedelta(0)) == []
    shared.warehouse.unlink()


_HOLD = """
import sys, time, duckdb
with duckdb.connect(sys.argv[1]):
    print("held", flush=True)
    time.sleep(60)
"""


def test_lost_and_damaged_files_of_the_lake(shared: Settings) -> None:
    first, second = sorted((shared.lake / "transactions").iterdir())
    was = first.read_bytes(), second.read_bytes()
    first.unlink()
    second.write_bytes(was[1][:-5])
    found = look("lake", shared)
    assert [each.level for each in found] == ["error"] * 2
    assert {each.what.rpartition(" ")[2] for each in found} == {"missing", "damaged"}
    second.unlink()  # what is damaged is removed
    for number in (1, 2):
        assert f"cx360 replay transactions --arrival {number}" in str(found[number - 1].cure)
        replay.replay(shared, "transactions", replay.Wanted(arrival_number=number), lambda _: None)
    assert look("lake", shared) == []
    assert (first.read_bytes(), second.read_bytes()) == was


def test_a_raw_file_of_another_size(shared: Settings) -> None:
    raw = next((shared.lake / "pii" / "raw").rglob("*.csv"))
    was = raw.read_bytes()
    raw.write_bytes(was + b"\n")
    assert f"has {len(was) + 1} bytes instead of {len(was)}" in one("lake", shared).what
    raw.write_bytes(was)
    assert look("lake", shared) == []


def test_files_nobody_takes_or_waits_for(shared: Settings) -> None:
    source = shared.source_folders[0] / "source.yaml"
    was = source.read_text()
    nobodys = deliver(shared, "notes.txt", "hello")
    found = one("inbox", shared)
    assert "notes.txt" in found.what and "docs/sources.md" in str(found.cure)
    source.write_text(was + 'ignored: {"*.txt": notes}\n')
    assert look("inbox", shared) == []
    nobodys.unlink()
    source.write_text(was.replace('tx*.csv.gz"', 'tx*.csv.gz", control: "{name}.ctl"'))
    late = deliver(shared, "tx9.csv.gz", transactions())
    assert look("inbox", shared) == [], "it may still come"
    assert "tx9.csv.gz.ctl never came" in one("inbox", shared, timedelta(0)).what
    late.unlink()
    source.write_text(was)
    assert look("inbox", shared) == []


def test_there_is_no_inbox(shared: Settings, tmp_path: Path) -> None:
    elsewhere = other(shared, inbox=tmp_path / "in box")
    by_command(one("inbox", elsewhere).cure)
    assert look("inbox", elsewhere) == []


@contextmanager
def small_disk(place: Path, size: str) -> Iterator[None]:
    """A file system of that size at ``place``."""
    place.mkdir(parents=True)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)], check=False)
    if mounted.returncode:
        pytest.skip("only root can mount a small disk")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_a_full_disk(new_home: Callable[[str], Settings], tmp_path: Path) -> None:
    """The error says what is full, nothing is half visible, and a doctor still looks."""
    whole = new_home("full")
    with small_disk(tmp_path / "small", "3m"):
        bank = settle(other(whole, home=tmp_path / "small" / "home"))
        shutil.copytree(whole.home / "keys", bank.home / "keys")
        bank.secret("token")
        found = one("disk", bank)
        assert found.level == "error" and "the next run will not fit" in found.what
        assert found.what.startswith("home, lake, staging, warehouse, publications, postgres")
        deliver(bank, "tx1.csv", transactions())
        ballast = bank.home / "ballast"
        fill(ballast)
        with pytest.raises(lake.DiskFull, match=r"No space left on the disk of .*cx360 doctor names the disk"):
            landing.land(bank, "transactions")
        with ledger.session(bank) as session:
            assert session.query(ledger.Delivery).count() == 0
        for check in doctor.CHECKS:
            look(check, bank)
        ballast.unlink()
        assert landing.land(bank, "transactions").accepted == 3
        assert list(bank.staging.iterdir()) == []
        fill(ballast)
        gate = pipeline.DAY_STEPS[0]
        with pytest.raises(lake.DiskFull):  # by another library, in another step
            gate(bank, pipeline.Run("a full disk"))
        with ledger.session(bank) as session:
            assert session.query(ledger.GateResult).count() == 0
        ballast.unlink()
        assert gate(bank, pipeline.Run("room again"))["checked"] == 1
    assert look("disk", whole) == []


def fill(ballast: Path) -> None:
    """Leave no byte of a disk free."""
    with pytest.raises(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)


# --- Airflow -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variable", "value", "cured", "level"),
    [
        ("AIRFLOW__CORE__LOAD_EXAMPLES", "True", "False", "warning"),
        ("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS", "True", "False", "error"),
        ("AIRFLOW__API_AUTH__JWT_SECRET", "airflow_jwt_secret", "b3duIHNlY3JldA==", "error"),
        ("AIRFLOW__CORE__FERNET_KEY", "", "b3duIHNlY3JldA==", "error"),
        ("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "postgresql://airflow:airflow@db/a", "postgresql://a:b@db/a", "error"),
    ],
)
def test_insecure_defaults_of_airflow(
    shared: Settings,
    outside: pytest.MonkeyPatch,
    tmp_path: Path,
    variable: str,
    value: str,
    cured: str,
    level: str,
) -> None:
    outside.setenv("AIRFLOW_HOME", str(tmp_path))
    (tmp_path / "airflow.cfg").write_text("[core]\nload_examples = no\n")
    assert look("airflow", shared) == []
    outside.setenv(variable, value)
    found = one("airflow", shared)
    assert found.level == level
    assert value == "" or "hush" not in found.what
    outside.setenv(variable, cured)
    assert look("airflow", shared) == []


@pytest.fixture(scope="module")
def airflow_url(postgres_server: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A metadata database that Airflow itself made, on PostgreSQL."""
    name = "airflow_of_doctor"
    place = make_url(postgres.url(postgres_server)).set(database=name)
    with psycopg.connect(postgres.dsn(postgres_server), autocommit=True) as connection:
        connection.execute(f"create database {name}")
    url = place.render_as_string(hide_password=False)
    _airflow(url, tmp_path_factory.mktemp("airflow"), "from airflow.utils.db import initdb; initdb()")
    yield url
    with psycopg.connect(postgres.dsn(postgres_server), autocommit=True) as connection:
        connection.execute(f"drop database {name} with (force)")


def _airflow(url: str, home: Path, code: str) -> None:
    environment = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": url,
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": url,
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | environment, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.slow
def test_the_pool_of_the_warehouse(shared: Settings, outside: pytest.MonkeyPatch, airflow_url: str) -> None:
    outside.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", airflow_url)
    dsn = airflow_url.replace("+psycopg", "")
    with psycopg.connect(dsn, autocommit=True) as airflow:
        assert "is missing" in one("pool", shared).what
        airflow.execute("insert into slot_pool (pool, slots, include_deferred) values ('cx360_warehouse', 4, false)")
        found = one("pool", shared)
        assert "has 4 slots" in found.what and str(found.cure).startswith("cx360 airflow pools set cx360_warehouse 1 ")
        airflow.execute("update slot_pool set slots = 1 where pool = 'cx360_warehouse'")
        assert look("pool", shared) == []


#: Two feeds finish at once: each transaction asks Airflow for the pending run of the day and sees none.
_RACE = """
from datetime import datetime, UTC
from airflow.assets.manager import AssetManager
from airflow.models.asset import AssetModel, DagScheduleAssetReference, PartitionedAssetKeyLog
from airflow.models.dag import DagModel
from airflow.models.dagbundle import DagBundleModel
from airflow import settings

with settings.Session() as session:
    session.add(DagBundleModel(name="dags-folder"))
    session.flush()
    session.add(DagModel(dag_id="profile", bundle_name="dags-folder", fileloc="x"))
    assets = [AssetModel(name=f"cx360_{n}", uri=f"cx360_{n}") for n in ("parties", "accounts", "holdings")]
    session.add_all(assets)
    session.flush()
    session.add_all(DagScheduleAssetReference(asset_id=a.id, dag_id="profile") for a in assets)
    session.commit()
    ids = [asset.id for asset in assets]

def wait_for_run(session, asset_id):
    dag = session.get(DagModel, "profile")
    run = AssetManager._get_or_create_apdr(
        target_key="2026-03-31", target_partition_date=None, target_dag=dag, rollup_fingerprint={},
        asset_id=asset_id, session=session,
    )
    session.add(PartitionedAssetKeyLog(
        asset_id=asset_id, asset_event_id=1, asset_partition_dag_run_id=run.id, source_partition_key="2026-03-31",
        target_dag_id="profile", target_partition_key="2026-03-31",
    ))
    session.flush()

make = settings.Session.session_factory
with make() as one, make() as other:
    wait_for_run(one, ids[0])
    wait_for_run(other, ids[1])
    one.commit()
    other.commit()
"""


@pytest.mark.slow
def test_a_partition_with_two_half_filled_runs(
    shared: Settings, outside: pytest.MonkeyPatch, airflow_url: str, tmp_path: Path
) -> None:
    outside.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", airflow_url)
    assert look("partitions", shared, timedelta(0)) == []
    _airflow(airflow_url, tmp_path, _RACE)
    assert look("partitions", shared) == [], "the others may still come"
    found = one("partitions", shared, timedelta(0))
    assert found.level == "error"
    assert "profile was never built for 2026-03-31. 2 half-filled runs wait" in found.what
    assert "missing cx360_holdings" in found.what
    told = json.dumps({"as_of": "2026-03-31"})
    assert f"airflow dags trigger profile --conf '{told}'" in str(found.cure)
    with psycopg.connect(airflow_url.replace("+psycopg", ""), autocommit=True) as airflow:
        airflow.execute(
            "insert into dag_run (dag_id, run_id, run_type, run_after, conf, created_at, clear_number,"
            " triggered_by, state, queued_at) values ('profile', 'by hand', 'manual', now(), %s, now(), 0, 'CLI',"
            " 'queued', now())",
            [told],
        )
        assert look("partitions", shared, timedelta(0)) == []
        airflow.execute("delete from dag_run")
        airflow.execute("delete from asset_partition_dag_run where id = 1")
        assert one("partitions", shared, timedelta(0)).level == "warning", "one that waits for a feed"


@pytest.fixture
def airflow(outside: pytest.MonkeyPatch, airflow_url: str) -> Iterator["psycopg.Connection[tuple[object, ...]]"]:
    """Airflow's database as the environment names it, without any run."""
    outside.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", airflow_url)
    with psycopg.connect(airflow_url.replace("+psycopg", ""), autocommit=True) as connection:
        for table in ("asset_event", "asset_partition_dag_run", "task_instance", "dag_run", "job", "dag", "asset"):
            connection.execute(f"truncate {table} cascade")
        connection.execute("insert into dag_bundle (name) values ('dags-folder') on conflict do nothing")
        yield connection


def insert(airflow: "psycopg.Connection[tuple[object, ...]]", table: str, **values: object) -> None:
    """A row; what Airflow wants besides stays as its kind of column has it."""
    rows = airflow.execute(
        "select column_name, udt_name from information_schema.columns"
        " where table_name = %s and is_nullable = 'NO' and column_default is null",
        [table],
    ).fetchall()
    fill = {"bool": False, "int4": 0, "timestamptz": "now", "json": "{}", "jsonb": "{}"}
    uuid = "01a21a94-ce9f-7332-b072-f8f0827b7677"
    rest = {str(name): uuid if kind == "uuid" else fill.get(str(kind), "x") for name, kind in rows if kind != "bytea"}
    given = rest | values
    airflow.execute(
        f"insert into {table} ({', '.join(map(json.dumps, given))}) values ({', '.join(['%s'] * len(given))})",  # type: ignore[arg-type]
        list(given.values()),
    )


@pytest.mark.slow
def test_a_paused_dag_and_the_day_that_closed_meanwhile(
    shared: Settings, airflow: "psycopg.Connection[tuple[object, ...]]"
) -> None:
    insert(airflow, "dag", dag_id="profile", bundle_name="dags-folder", is_paused=True)
    insert(airflow, "asset", id=1, name="cx360_deliveries", uri="cx360_deliveries")
    insert(airflow, "dag_schedule_asset_reference", asset_id=1, dag_id="profile")
    insert(airflow, "asset_event", id=1, asset_id=1, timestamp="now", partition_key="2026-03-31")
    by_hand = one("runs", shared)
    assert "profile is paused" in by_hand.what
    assert by_hand.cure == "cx360 airflow dags unpause profile"
    airflow.execute("update dag set is_paused = false")
    assert look("runs", shared) == []
    assert look("partitions", shared) == [], "its run may still start"
    found = one("partitions", shared, timedelta(0))
    assert "profile was never built for 2026-03-31 since that day was closed last" in found.what
    assert "airflow dags clear deliveries --partition-key 2026-03-31 -y" in str(found.cure)
    run = {"dag_id": "profile", "run_id": "r", "run_type": "manual", "state": "queued", "created_at": "now"}
    insert(airflow, "dag_run", id=1, partition_key="2026-03-30", **run)
    assert len(look("partitions", shared, timedelta(0))) == 1, "another day was built"
    airflow.execute("update dag_run set partition_key = '2026-03-31'")
    assert look("partitions", shared, timedelta(0)) == []


@pytest.mark.slow
def test_a_red_run_is_told_with_its_message_and_log(
    shared: Settings,
    airflow: "psycopg.Connection[tuple[object, ...]]",
    outside: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    outside.setenv("AIRFLOW__LOGGING__BASE_LOG_FOLDER", str(tmp_path))
    run = {"dag_id": "profile", "run_type": "manual", "partition_key": "2026-03-31", "end_date": "now"}
    insert(airflow, "dag_run", id=1, run_id="one", state="failed", start_date="yesterday", **run)
    task = {"dag_id": "profile", "task_id": "build_tables", "map_index": -1, "try_number": 2, "state": "failed"}
    insert(airflow, "task_instance", run_id="one", **task)
    found = one("runs", shared)
    assert found.level == "error"
    assert found.what.startswith("profile of 2026-03-31 ended red ") and "build_tables: it says no error" in found.what

    log = tmp_path / "dag_id=profile" / "run_id=one" / "task_id=build_tables" / "attempt=2.log"
    log.parent.mkdir(parents=True)

    def say(kind: str, value: str, file: str) -> None:
        raised = {"exc_type": kind, "exc_value": value, "frames": [{"filename": file}]}
        log.write_text(json.dumps({"event": "Task failed", "error_detail": [raised]}) + '\n{"event": "cut o')

    say("DbtFailed", "1 of 9 nodes failed", "/x/cx360/warehouse.py")
    assert f"build_tables: DbtFailed: 1 of 9 nodes failed. Log: {log}" in one("runs", shared).what
    say("DataError", "Erika Mustermann", "/x/psycopg/cursor.py")
    assert "DataError. Log" in one("runs", shared).what, "what is not ours may quote values"
    say("OSError", "[Errno 28] No space left on device", "/lib/shutil.py")
    assert "No space left on device" in one("runs", shared).what

    insert(airflow, "dag_run", id=2, run_id="two", state="running", start_date="now", **run)
    assert look("runs", shared) == [], "a later one is at work"


@pytest.mark.slow
def test_a_scheduler_that_was_killed(
    shared: Settings, airflow: "psycopg.Connection[tuple[object, ...]]", outside: pytest.MonkeyPatch
) -> None:
    insert(airflow, "job", id=1, job_type="SchedulerJob", state="running", latest_heartbeat="now")
    assert look("services", shared) == []
    airflow.execute("update job set latest_heartbeat = now() - interval '5 minutes'")
    assert "gave no sign since" in one("services", shared).what
    airflow.execute("update job set state = 'success'")
    assert look("services", shared) == [], "somebody stopped it"
    outside.setattr(airflow_home, "processes", lambda _: {"api-server": None, "triggerer": None})
    found = one("services", shared)
    assert "Airflow's scheduler, dag-processor ended" in found.what and str(found.cure).startswith("make up")


# --- the command -------------------------------------------------------------------------------------------------


def test_the_command_ends_with_0_when_nothing_is_wrong_and_1_when_something_is(
    shared: Settings, outside: pytest.MonkeyPatch
) -> None:
    outside.setenv("CX360_HOME", str(shared.home))
    outside.setenv("CX360_SOURCES", shared.sources)
    assert shared.database_url is not None
    outside.setenv("CX360_DATABASE_URL", shared.database_url.get_secret_value())
    (shared.inbox_folder / "notes.txt").touch()
    done = CliRunner().invoke(cli.app, ["doctor", "--format", "json"])
    assert done.exit_code == 0, "a warning does not fail"
    told = json.loads(done.stdout)
    assert {"check", "level", "what", "cure"} == set(told[0])
    assert "warning" in {finding["level"] for finding in told}
    (shared.inbox_folder / "notes.txt").unlink()
    shared.home.chmod(0o777)
    done = CliRunner().invoke(cli.app, ["doctor"])
    assert done.exit_code == 1
    assert "cure: chmod go-w" in done.stdout
    shared.home.chmod(0o700)
