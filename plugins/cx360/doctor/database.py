"""Database: whether PostgreSQL is up and lets everybody in, and who holds up whom."""

from collections.abc import Iterator
from datetime import timedelta
from shlex import quote
from typing import TYPE_CHECKING, Any

from cx360 import ledger, postgres, publish
from cx360.doctor.report import Finding
from cx360.settings import Settings

if TYPE_CHECKING:
    import psycopg

_LOCKS = {
    ledger.MIGRATION_LOCK: "the lock of migrations",
    publish.LOCK: "the lock of publications",
    publish.LOCK + 1: "the lock of a publication's commit",
}

#: Our advisory locks: who holds each, since when that session is there, how many wait for it.
_HOLDERS = """
    select (l.classid::bigint << 32) + l.objid::bigint as key, a.pid, a.usename, a.client_addr::text, a.client_port,
        a.state, now() - a.backend_start as age,
        (select count(*) from pg_locks as w
         where w.locktype = 'advisory' and not w.granted and (w.classid, w.objid) = (l.classid, l.objid)) as waiting
    from pg_locks as l join pg_stat_activity as a using (pid)
    where l.locktype = 'advisory' and l.granted and a.datname = current_database()
        and (l.classid::bigint << 32) + l.objid::bigint = any(%s)
    order by key
"""

#: Transactions open for long, and how many sessions each one blocks.
_TRANSACTIONS = """
    select a.pid, a.usename, a.client_addr::text, a.client_port, a.state, now() - a.xact_start as age,
        (select count(*) from pg_stat_activity as b where a.pid = any(pg_blocking_pids(b.pid))) as waiting
    from pg_stat_activity as a
    where a.datname = current_database() and a.pid <> pg_backend_pid() and now() - a.xact_start > %s
    order by a.xact_start
"""


def connect(settings: Settings, role: postgres.Role = "admin") -> "psycopg.Connection[Any]":
    """A connection that waits for nothing for long; an embedded server that is down is not started.

    Raises:
        postgres.PostgresError: it is down, or the file with the role's password is missing.
        psycopg.OperationalError: it does not answer or does not let the role in.
    """
    import psycopg

    if settings.database_url is None and not postgres.is_running(settings):
        raise postgres.PostgresError("the embedded PostgreSQL is down")
    password = settings.home / "keys" / f"postgres_{role}"
    if (settings.database_url is None or role != "admin") and not password.exists():
        raise postgres.PostgresError(f"the password of {role} is missing: {password}")
    return psycopg.connect(
        postgres.dsn(settings, role),
        connect_timeout=5,
        autocommit=True,
        options="-c statement_timeout=10s -c lock_timeout=2s",
        application_name="cx360 doctor",
    )


def check_connections(settings: Settings, older: timedelta) -> Iterator[Finding]:
    """The server answers, each role gets in, the tables of the ledger are as this cx360 wants them."""
    import psycopg

    embedded = settings.database_url is None
    if embedded and not (settings.home / "postgres" / "data").exists():
        yield Finding("postgres", "ok", "no embedded PostgreSQL yet: the first run makes it")
        return
    if embedded and not postgres.is_running(settings):
        yield Finding(
            "postgres",
            "error",
            f"the embedded PostgreSQL is down: nobody can read; its log: {settings.home / 'postgres' / 'server.log'}",
            "cx360 status  (every command and run starts it)",
        )
        return
    roles: tuple[postgres.Role, ...] = ("admin", *postgres.READERS)
    for role in roles:
        try:
            with connect(settings, role) as connection:
                if role == "admin":
                    version = connection.execute("show server_version").fetchone()
                    yield Finding("postgres", "ok", f"PostgreSQL {version[0] if version else '?'} is up")
                    yield _migrated(connection)
        except (psycopg.OperationalError, postgres.PostgresError) as error:
            yield _refused(settings, role, error)
            if role == "admin":
                return
    yield Finding("postgres", "ok", f"admin, {' and '.join(postgres.READERS)} can log in")


def _refused(settings: Settings, role: str, error: Exception) -> Finding:
    said = str(error).strip().splitlines()[-1]
    file = quote(str(settings.home / "keys" / f"postgres_{role}"))
    if settings.database_url is None:
        cure = f"bring back {file} from a backup" if role == "admin" else "cx360 stop && cx360 status  (sets it anew)"
    elif role == "admin":
        cure = "see that the server is up, and CX360_DATABASE_URL names it, its user and password"
    else:
        cure = f"as administrator: alter role {role} password '…'; and put that password into {file}"
    return Finding("postgres", "error", f"{role} cannot log in: {said}", cure)


def _migrated(connection: "psycopg.Connection[Any]") -> Finding:
    known = connection.execute("select to_regclass('ops.alembic_version') is not null").fetchone()
    row = None
    if known and known[0]:
        row = connection.execute("select version_num from ops.alembic_version").fetchone()
    found, newest = row[0] if row else None, ledger.newest_revision()
    if found == newest:
        return Finding("postgres", "ok", f"the ledger is at revision {found}")
    if found is not None and found > newest:
        what = f"the ledger is at revision {found} of a newer cx360; this one knows {newest} and refuses to work"
        return Finding("postgres", "error", what, "install that newer cx360 here too: git pull && make quick")
    what = f"the ledger is at revision {found or 'none'}, this cx360 wants {newest}"
    return Finding("postgres", "warning", what, "cx360 status  (brings it there, as every command and run does)")


def check_locks(settings: Settings, older: timedelta) -> Iterator[Finding]:
    """Who holds our locks, and whose transaction is open for long."""
    if settings.database_url is None and not (settings.home / "postgres" / "data").exists():
        return
    with connect(settings) as connection:
        held = connection.execute(_HOLDERS, [list(_LOCKS)]).fetchall()
        for key, pid, user, address, port, state, age, waiting in held:
            who = f"{_LOCKS[key]} is held for {_minutes(age)} by {_client(address, port)}{user}, {state}"
            is_trouble = age > older
            yield Finding(
                "locks",
                ("error" if waiting else "warning") if is_trouble else "ok",
                f"{who}; {waiting} wait for it",
                f"if no run is at work: {_end(settings, pid)}" if is_trouble else None,
            )
        holders = {row[1] for row in held}
        found = [row for row in connection.execute(_TRANSACTIONS, [older]).fetchall() if row[0] not in holders]
        for pid, user, address, port, state, age, waiting in found:
            yield Finding(
                "locks",
                "error" if waiting else "warning",
                f"a transaction of {_client(address, port)}{user} is open for {_minutes(age)}, {state}; it blocks"
                f" {waiting} others, and may block the next publication",
                _end(settings, pid),
            )
        if not held and not found:
            yield Finding("locks", "ok", "nobody holds the locks of publications and migrations, or a long transaction")


def _minutes(age: timedelta) -> str:
    return f"{age.total_seconds() / 60:.0f} min"


def _client(address: str | None, port: int | None) -> str:
    """The process on this machine at the other end of a connection, as far as one may see."""
    import psutil  # type: ignore[import-untyped]

    if port is None or address not in ("127.0.0.1", "127.0.0.1/32", "::1/128"):
        return f"a client on {address}, " if address else ""
    try:
        found = [c.pid for c in psutil.net_connections("tcp") if c.laddr and c.laddr.port == port and c.pid]
        return f"process {found[0]} ({psutil.Process(found[0]).name()}), " if found else ""
    except psutil.Error:
        return ""


def _end(settings: Settings, pid: int) -> str:
    """Ends a session of PostgreSQL; its transaction is rolled back."""
    if settings.database_url is None:
        return f"kill {pid}  (the session's process of PostgreSQL; its transaction is rolled back)"
    return f"as administrator of PostgreSQL: select pg_terminate_backend({pid})"
