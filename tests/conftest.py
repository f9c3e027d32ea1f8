"""What tests of several rooms share: one PostgreSQL for all of them, a home and a database for each.

The server is a real embedded one, started once, whichever of pytest's processes asks first, and stopped at the end.
A test's database is a copy of a migrated one, which takes a few hundredths of a second.
"""

import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from filelock import FileLock

from cx360 import ledger, postgres, warehouse
from cx360.settings import Settings

_TEMPLATE = "cx360"


@pytest.fixture(autouse=True, scope="session")
def _no_settings_from_outside() -> None:
    """Tests say what their settings are; those of the caller do not count."""
    for name in [name for name in os.environ if name.startswith("CX360_") and name != "CX360_REAL_DATA"]:
        del os.environ[name]


@pytest.fixture(scope="session")
def postgres_server(worker_id: str) -> Settings:
    """Settings of the home whose embedded server all tests share; its database is migrated, a template."""
    home = _server_home(os.getpid() if worker_id == "master" else os.getppid())
    home.mkdir(exist_ok=True)
    settings = Settings(home=home)
    with FileLock(home / "ready.lock"):
        if not (home / "ready").exists():
            postgres.start(settings)
            _tune(settings)
            ledger.engine(settings)
            ledger.dispose()  # a database that is copied may have no connections
            (home / "ready").touch()
    return settings


@pytest.fixture(scope="session")
def parsed(postgres_server: Settings) -> Path:
    """Folder ``dbt`` of a home in which dbt has parsed the project: copied, it saves every other home six seconds."""
    from dbt.cli.main import dbtRunner

    folder, project = postgres_server.home / "dbt", str(warehouse.DBT_PROJECT)
    arguments = ["--quiet", "--no-version-check", "--log-path", str(folder / "logs"), "parse"]
    arguments += ["--project-dir", project, "--profiles-dir", project, "--target-path", str(folder / "target")]
    with FileLock(postgres_server.home / "parsed.lock"), pytest.MonkeyPatch.context() as patch:
        patch.setenv("CX360_WAREHOUSE", str(postgres_server.warehouse))
        with warehouse._parsed(postgres_server) as manifest:
            assert manifest or dbtRunner().invoke(arguments).success
    return folder


@pytest.fixture(scope="module")
def target(parsed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A target folder of dbt with the project parsed, for banks of a module's tests that have no home."""
    return Path(shutil.copytree(parsed / "target", tmp_path_factory.mktemp("dbt") / "target"))


def _server_home(first_process: int) -> Path:
    """Not below pytest's own folder, which every start of pytest closes to the server's system user."""
    return Path(tempfile.gettempdir()) / f"cx360_tests_{first_process}"


def _tune(settings: Settings) -> None:
    """Nothing of a test must survive a crash of the machine."""
    import psycopg

    with psycopg.connect(postgres.dsn(settings), autocommit=True) as connection:
        connection.execute("alter system set fsync = off")
        connection.execute("alter system set full_page_writes = off")
        connection.execute("select pg_reload_conf()")


@contextmanager
def _new_home(postgres_server: Settings, home: Path) -> Iterator[Settings]:
    """Settings of an empty home with a migrated database of its own on the shared server."""
    import psycopg
    from pydantic import SecretStr

    (home / "keys").mkdir(parents=True, mode=0o700)
    for role in postgres.READERS:  # roles belong to the server, so their passwords do too
        postgres_server.secret(f"postgres_{role}")
        shutil.copy(postgres_server.home / "keys" / f"postgres_{role}", home / "keys")
    name = f"test_{uuid.uuid4().hex}"
    server = postgres.dsn(postgres_server)
    place = server.removesuffix(f"/{_TEMPLATE}")
    with psycopg.connect(f"{place}/postgres", autocommit=True) as connection:
        connection.execute(f"create database {name} template {_TEMPLATE}")
    yield Settings(home=home, database_url=SecretStr(f"{place}/{name}"), threads=2, memory_limit="1GB")
    ledger.dispose()
    with psycopg.connect(f"{place}/postgres", autocommit=True) as connection:
        connection.execute(f"drop database {name} with (force)")


@pytest.fixture
def settings(postgres_server: Settings, tmp_path: Path) -> Iterator[Settings]:
    """Settings of an empty home of this test's own."""
    with _new_home(postgres_server, tmp_path / "home") as own:
        yield own


@pytest.fixture(scope="module")
def new_home(
    postgres_server: Settings, parsed: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Settings]]:
    """Makes homes, by name, that live as long as the module's tests: empty, but for dbt's parsed project."""
    with ExitStack() as homes:

        def make(name: str) -> Settings:
            home = tmp_path_factory.mktemp(name) / "home"
            shutil.copytree(parsed, home / "dbt")
            return homes.enter_context(_new_home(postgres_server, home))

        yield make


@pytest.fixture
def embedded() -> Iterator[Settings]:
    """Settings of an empty home with an embedded server of its own, down at first; for tests of the server itself."""
    with _embedded_home() as own:
        yield own


@pytest.fixture(scope="module")
def long_home() -> Iterator[Settings]:
    """The same, for all tests of a module."""
    with _embedded_home() as own:
        yield own


@contextmanager
def _embedded_home() -> Iterator[Settings]:
    """A home whose path is longer than that of a unix socket may be and has what shells stumble over."""
    folder = Path(tempfile.mkdtemp(prefix="cx360_test_"))
    own = Settings(home=folder / f"a home with spaces, ünd 'quotes' {'x' * 80}", threads=2, memory_limit="1GB")
    yield own
    ledger.dispose()
    postgres.stop(own)
    shutil.rmtree(folder)


#: Python runs this in every process that finds it: each address that is looked up or connected to is written down.
_WATCH = """
import os, sys

def note(event, arguments):
    if event in ("socket.connect", "socket.sendto") and arguments[0].family != 1:  # 1 is a socket of this machine
        address = arguments[1][0]
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        address = arguments[0]
    else:
        return
    with open(os.environ["CX360_TEST_ADDRESSES"], "a") as file:
        print(address, file=file)

sys.addaudithook(note)
"""


@pytest.fixture(scope="module")
def watch(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, str], Path]:
    """Variables that make Python processes write down which addresses they ask for, and the file they do it in."""
    folder = tmp_path_factory.mktemp("watch")
    (folder / "sitecustomize.py").write_text(_WATCH)
    return {"PYTHONPATH": str(folder), "CX360_TEST_ADDRESSES": str(folder / "addresses")}, folder / "addresses"


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the server when the process that started all others ends."""
    home = _server_home(os.getpid())
    if not hasattr(config, "workerinput") and home.exists():
        postgres.stop(Settings(home=home))
        shutil.rmtree(home)
