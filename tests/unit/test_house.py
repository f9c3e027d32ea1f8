"""Rules of the house that no linter knows."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from cx360.settings import PROJECT, Settings

TEXT = {
    "",
    ".cfg",
    ".csv",
    ".ini",
    ".lock",
    ".md",
    ".mako",
    ".py",
    ".sql",
    ".toml",
    ".txt",
    ".yaml",
    ".yml",
    ".json",
}

#: A home or work folder of some machine, and hosts of registries: neither belongs into a file others use.
FOREIGN = re.compile(
    r"(?<![\w.$}])/(?:home|Users|root|work|mnt|opt)/[\w.-]+|\bfiles\.pythonhosted\.org|\bpypi\.org"
    r"|--(?:extra-)?index-url[ =]http|\b(?:10|192\.168|172\.(?:1[6-9]|2\d|3[01]))\.\d+\.\d+\.\d+\b"
)


def files() -> list[Path]:
    """Files of the project: what git has or would take."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT,
        check=False,
        capture_output=True,
        text=True,
    )
    if listed.returncode == 0 and listed.stdout:
        found = [PROJECT / name for name in listed.stdout.split("\0") if name]
    else:  # unpacked from an archive
        rooms = (
            "bench",
            "contracts",
            "dags",
            "dbt_project",
            "docs",
            "expectations",
            "models",
            "plugins",
            "sources",
            "tests",
        )
        found = [path for room in rooms for path in (PROJECT / room).rglob("*")]
        found += list(PROJECT.glob("*"))
    return sorted(path for path in found if path.is_file() and path.suffix in TEXT)


def modules() -> list[str]:
    """Modules of the library, but for Alembic's, which only Alembic can import."""
    root = PROJECT / "plugins"
    names = (path.relative_to(root).with_suffix("").parts for path in (root / "cx360").rglob("*.py"))
    return sorted(
        ".".join(name).removesuffix(".__init__") for name in names if not {"migrations", "__main__"} & set(name)
    )


def test_no_file_knows_a_machine_or_a_registry():
    found = [
        f"{path.relative_to(PROJECT)}:{number}: {match.group()}"
        for path in files()
        if path != Path(__file__)
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if (match := FOREIGN.search(line))
    ]
    assert found == []


@pytest.mark.parametrize("line", ["cd /home/anna/x", "see /Users/b", "--index-url https://x", "http://10.1.2.3/"])
def test_machines_and_registries_are_found_out(line):
    assert FOREIGN.search(line)


@pytest.mark.parametrize("line", ["/tmp/bank", "127.0.0.1", "$HOME/work/x", "a/home/b", "10.5.3", "/home"])
def test_what_is_no_machine_is_left_alone(line):
    assert not FOREIGN.search(line)


def test_importing_the_library_is_cheap():
    """Airflow reads DAG files every few seconds: no module of ours may bring the heavy ones at import."""
    heavy = "airflow dbt duckdb great_expectations pandas phonenumbers pyarrow pypinyin scipy splink".split()
    heavy += ["rjieba", "vaderSentiment"]
    airflows = ["cx360.airflow_deadline", "cx360.airflow_tasks"]  # for DAG files, which have Airflow already
    names = [name for name in modules() if name not in airflows]
    code = (
        "import importlib, sys\n"
        f"for name in {[*names, 'airflow.sdk', *airflows]!r}:\n"
        "    importlib.import_module(name)\n"
        f"    found = [h for h in {heavy!r} if h in sys.modules and not (h == 'airflow' and name not in {names!r})]\n"
        "    assert not found, f'{name} imports {found}'\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT / "plugins", check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr.splitlines()[-1]


def test_every_module_says_what_belongs_in_it():
    empty = [
        str(path.relative_to(PROJECT))
        for path in files()
        if path.suffix == ".py" and path.stat().st_size and not re.match(r'(#.*\n)*r?"""\S', path.read_text())
    ]
    assert empty == []


def test_every_dependency_is_locked_with_hashes():
    lock = (PROJECT / "requirements.lock").read_text()
    stanzas = re.split(r"\n(?=[a-zA-Z0-9])", lock)
    names = {re.match(r"[\w.-]+", stanza).group().lower().replace("_", "-") for stanza in stanzas}
    assert [s.split()[0] for s in stanzas if "--hash=sha256:" not in s] == []
    import tomllib

    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    asked = {re.match(r"[\w.-]+", each).group().lower().replace("_", "-") for each in wanted}
    assert asked - names == set()


def test_models_fit_a_screen():
    long = {
        str(path.relative_to(PROJECT)): lines
        for path in (PROJECT / "dbt_project" / "models").rglob("*.sql")
        if (lines := len(path.read_text().splitlines())) > 120
    }
    assert long == {}


def test_help_lists_every_verb():
    makefile = (PROJECT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE).group(1).split()
    said = subprocess.run(["make", "help"], cwd=PROJECT, check=True, capture_output=True, text=True).stdout
    assert re.findall(r"^([a-z]+) {2,}\S", said, re.MULTILINE) == phony


def test_an_empty_variable_is_one_that_is_not_set(monkeypatch):
    monkeypatch.setenv("CX360_HOME", "")
    monkeypatch.setenv("CX360_PUBLISHED_BY", "")
    assert Settings().home == PROJECT / "cx360_home"
    assert Settings().published_by is None
