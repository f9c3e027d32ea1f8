"""No call home: the switches are set wherever cx360 is imported, and the libraries obey them.

That a whole run and a whole Airflow ask for no other machine is shown in tests/pipeline/test_make_run.py and
tests/serving/test_airflow_home.py, where they run.
"""

import os
import subprocess
import sys

import pytest

from cx360 import offline


def told(code: str, **environment: str) -> str:
    """What a fresh process prints that has none of the switches from outside."""
    clean = {name: value for name, value in os.environ.items() if name not in offline.SWITCHES}
    done = subprocess.run(
        [sys.executable, "-c", code], env=clean | environment, check=True, capture_output=True, text=True
    )
    return done.stdout.splitlines()[-1]


@pytest.mark.parametrize("module", ["cli", "settings", "pipeline", "airflow_home", "gates"])
def test_importing_any_module_sets_every_switch(module):
    code = (
        f"import os, cx360.{module}; from cx360.offline import SWITCHES; print(SWITCHES.items() <= os.environ.items())"
    )
    assert told(code) == "True"


def test_what_a_deployment_says_itself_stays():
    assert told("import os, cx360; print(os.environ['DO_NOT_TRACK'])", DO_NOT_TRACK="0") == "0"


@pytest.mark.slow
def test_dbt_sends_no_statistics(tmp_path):
    """Asked of dbt itself, in a project that says nothing about it."""
    (tmp_path / "dbt_project.yml").write_text("name: empty\nprofile: empty\n")
    (tmp_path / "profiles.yml").write_text(
        "empty: {target: t, outputs: {t: {type: duckdb, path: ':memory:', schema: main}}}\n"
    )
    code = (
        "import cx360\n"
        "from dbt.cli.main import dbtRunner\n"
        f"done = dbtRunner().invoke(['--quiet', 'parse', '--project-dir', {str(tmp_path)!r},"
        f" '--profiles-dir', {str(tmp_path)!r}])\n"
        "from dbt import tracking\n"
        "print(done.success, tracking.active_user.do_not_track)\n"
    )
    assert told(code) == "True True"
