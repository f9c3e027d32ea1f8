"""The embedded server: how it starts, who may log in, what a crash leaves. Each test has a server of its own."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import psycopg
import pytest
from pydantic import SecretStr

from cx360 import ledger, postgres
from cx360.settings import Settings

STARTER = """
import sys
from pathlib import Path
from cx360 import ledger, postgres
from cx360.settings import Settings
settings = Settings(home=Path(sys.argv[1]))
print(postgres.start(settings))
with ledger.session(settings):
    pass
"""


def server_pid(settings: Settings) -> int:
    """Process id of the home's server."""
    return int((settings.home / "postgres" / "data" / "postmaster.pid").read_text().split()[0])


def test_two_processes_start_one_server_which_outlives_them(embedded: Settings) -> None:
    """Both get the same port and a migrated database; the server is there when both are gone."""
    starters = [
        subprocess.Popen(
            [sys.executable, "-c", STARTER, str(embedded.home)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": ":".join(sys.path)},
        )
        for _ in range(2)
    ]
    ports = {starter.communicate(timeout=120)[0].strip() for starter in starters}
    assert [starter.returncode for starter in starters] == [0, 0]
    assert len(ports) == 1
    with psycopg.connect(postgres.dsn(embedded, "cx360_bi")) as connection:
        assert str(connection.info.port) in ports
        assert connection.execute("select count(*) from ops.publications").fetchall() == [(0,)]


def test_a_killed_server_comes_back_with_its_port_and_rows(embedded: Settings) -> None:
    """After SIGKILL, which leaves a stale process id, and after an orderly stop."""
    port = postgres.start(embedded)
    with psycopg.connect(postgres.dsn(embedded)) as connection:
        connection.execute("create table public.kept as select 1 as one")
    server = psutil.Process(server_pid(embedded))
    server.kill()
    server.wait()
    with psycopg.connect(postgres.dsn(embedded)) as connection:
        assert connection.execute("select one from public.kept").fetchall() == [(1,)]
        assert connection.info.port == port
    assert postgres.stop(embedded)
    assert not postgres.stop(embedded)
    assert postgres.start(embedded) == port


def test_a_process_id_of_another_program_does_not_count(embedded: Settings) -> None:
    """After a reboot the number in the server's file may be anybody's."""
    port = postgres.start(embedded)
    stale = embedded.home / "postgres" / "data" / "postmaster.pid"
    lines = stale.read_text().splitlines()
    postgres.stop(embedded)
    stale.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    assert postgres.start(embedded) == port


def test_it_listens_on_loopback_only_and_asks_everybody_for_a_password(embedded: Settings) -> None:
    """No socket file, no other address, no login without the role's own password."""
    port = postgres.start(embedded)
    with psycopg.connect(postgres.dsn(embedded)) as connection:
        shown = {
            name: connection.execute(f"show {name}").fetchall()[0][0]
            for name in ("listen_addresses", "unix_socket_directories", "timezone", "lc_messages", "server_encoding")
        }
        rules = connection.execute("select distinct auth_method from pg_hba_file_rules").fetchall()
    assert shown == {
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "timezone": "UTC",
        "lc_messages": "C",
        "server_encoding": "UTF8",
    }
    assert rules == [("scram-sha-256",)]
    keys = {role: (embedded.home / "keys" / f"postgres_{role}") for role in ("admin", "cx360_bi", "cx360_ml")}
    assert len({key.read_text() for key in keys.values()}) == 3
    assert {key.stat().st_mode & 0o777 for key in keys.values()} == {0o600}
    for user, password in (("cx360", ""), ("cx360", "x"), ("cx360_bi", keys["cx360_ml"].read_text())):
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(host="127.0.0.1", port=port, user=user, password=password, dbname="cx360")


def test_a_port_that_another_program_took_is_said(embedded: Settings) -> None:
    """The home's port stays the same, so it does not silently move."""
    port = postgres.start(embedded)
    postgres.stop(embedded)
    with socket.create_server(("127.0.0.1", port)):
        with pytest.raises(postgres.PostgresError, match=f"port {port}.*used by another program"):
            postgres.start(embedded)
        (embedded.home / "postgres" / "port").unlink()
        assert postgres.start(embedded) != port


def test_errors_in_its_log_quote_no_values(embedded: Settings) -> None:
    """Neither the statement nor the row that broke a rule."""
    with psycopg.connect(postgres.dsn(embedded), autocommit=True) as connection:
        connection.execute("create table public.t (value text primary key)")
        connection.execute("insert into public.t values ('Quackenbush')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("insert into public.t values ('Quackenbush')")
    log = embedded.home / "postgres" / "server.log"
    deadline = time.monotonic() + 10
    while "duplicate key" not in log.read_text():
        assert time.monotonic() < deadline
    assert "Quackenbush" not in log.read_text()


def test_a_half_made_data_folder_is_made_anew(embedded: Settings) -> None:
    """What a process killed while initialising leaves is never started."""
    half = embedded.home / "postgres" / "data.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    assert postgres.start(embedded)


def test_another_server_by_url_starts_nothing(settings: Settings) -> None:
    """Its ledger and roles work the same; nothing of a server is below the home."""
    with ledger.session(settings) as session:
        session.add(ledger.Decision(kind="release", reason="looked at", decided_by="somebody", arrival_number=None))
    with psycopg.connect(postgres.dsn(settings, "cx360_bi")) as connection:
        assert connection.execute("select reason from ops.decisions").fetchall() == [("looked at",)]
    assert not (settings.home / "postgres").exists()


def test_a_url_of_something_else_is_refused(tmp_path: Path) -> None:
    """With the name of the setting."""
    with pytest.raises(postgres.PostgresError, match="CX360_DATABASE_URL"):
        postgres.url(Settings(home=tmp_path, database_url=SecretStr("sqlite:///x.db")))
