"""The DAGs: thin, alike, safe to have on call."""

import ast
import json
import subprocess
import sys
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest

from cx360 import airflow_run, pipeline
from cx360.contracts import FEEDS
from cx360.gates import GateFailed, GateReport
from cx360.settings import PROJECT, Settings

FILES = sorted((PROJECT / "dags").glob("*.py"))


@pytest.fixture(scope="module")
def dags(tmp_path_factory):
    """The DAGs as Airflow reads them, with a metadata database of its own."""
    return airflow_run.load_dags(Settings(home=tmp_path_factory.mktemp("airflow")))


def test_every_feed_has_a_dag_and_one_builds(dags):
    assert set(dags) == {*(f"land_{feed}" for feed in FEEDS), "profile"}


def test_every_file_gives_a_dag(dags):
    """Airflow passes over a file without both words, and says nothing."""
    assert {Path(dag.fileloc).name for dag in dags.values()} == {path.name for path in FILES}
    for path in FILES:
        assert {"airflow", "dag"} <= set(path.read_text().lower().replace(".", " ").replace("(", " ").split())


def test_dags_are_the_list_of_steps(dags):
    for dag in dags.values():
        steps = pipeline.BUILD_STEPS if dag.dag_id == "profile" else pipeline.FEED_STEPS
        order = [task.task_id for task in dag.topological_sort()]
        assert order == [step.name for step in steps]
        assert all(len(task.downstream_list) <= 1 for task in dag.tasks)


def test_policy(dags):
    for dag in dags.values():
        assert dag.max_active_runs == 1, dag.dag_id
        assert dag.catchup is False, dag.dag_id
        assert "cx360" in dag.tags, dag.dag_id
        assert dag.schedule, dag.dag_id
        for task in dag.tasks:
            assert task.owner not in ("", "airflow"), task.task_id
            assert f"`{task.task_id}`" in dag.doc_md, f"{dag.dag_id}: no triage note for {task.task_id}"
            assert task.doc_md


def test_a_shut_gate_is_not_tried_again_and_a_lost_connection_is(dags):
    from airflow.sdk import RetryAction
    from sqlalchemy.exc import OperationalError

    shut = GateFailed(GateReport("candidate", 1))
    for task in (task for dag in dags.values() for task in dag.tasks):
        assert task.retries == 2
        assert task.retry_policy.evaluate(shut, 1, 2).action == RetryAction.FAIL
        assert task.retry_policy.evaluate(ValueError(), 1, 2).action == RetryAction.FAIL
        lost = OperationalError("select", {}, Exception())
        assert task.retry_policy.evaluate(lost, 1, 2).action == RetryAction.RETRY


def test_params_take_a_day_or_nothing(dags):
    from airflow.sdk.exceptions import ParamValidationError

    for dag, name in ((dags["profile"], "as_of"), (dags["land_parties"], "until")):
        param = dag.params.get_param(name)
        assert param.resolve("2026-03-31") == "2026-03-31"
        assert param.resolve(None) is None
        with pytest.raises(ParamValidationError):
            param.resolve("31.03.2026")


def test_dags_survive_serialisation(dags):
    """What the scheduler reads from its database must be the same, every time."""
    from airflow.serialization.serialized_objects import DagSerialization

    for dag in dags.values():
        first, second = (json.dumps(DagSerialization.to_dict(dag), sort_keys=True) for _ in range(2))
        assert first == second


def test_dag_files_import_airflow_sdk_and_the_library_only():
    for path in FILES:
        nodes = list(ast.walk(ast.parse(path.read_text())))
        found = {n.module for n in nodes if isinstance(n, ast.ImportFrom)}
        found |= {alias.name for n in nodes if isinstance(n, ast.Import) for alias in n.names}
        assert found <= {"datetime", "airflow.sdk", "cx360.contracts", "cx360.pipeline"}, path.name
        assert not [n for n in nodes if isinstance(n, ast.FunctionDef | ast.Lambda)], f"{path.name} has logic"


def test_reading_dag_files_loads_nothing_heavy():
    code = (
        "import sys, airflow.sdk\n"
        "before = set(sys.modules)\n"
        "import cx360.contracts, cx360.pipeline\n"
        "heavy = {'duckdb', 'dbt', 'great_expectations', 'pandas', 'pyarrow', 'scipy', 'sqlalchemy'}\n"
        "print(sorted(heavy & (set(sys.modules) - before)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT / "plugins", check=True, capture_output=True, text=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_airflow_does_not_import_the_library_as_plugins(dags):
    from airflow._shared.module_loading import find_path_from_directory

    found = list(find_path_from_directory(PROJECT / "plugins", ".airflowignore", "glob"))
    assert [path for path in found if "cx360" in str(path).split("plugins")[-1]] == []


def test_nothing_is_sent_anywhere(dags):
    from airflow.configuration import conf

    assert not conf.getboolean("metrics", "statsd_on")
    assert not conf.getboolean("core", "load_examples")


def told(monkeypatch, partition_key, **params):
    """What a task hands to its step."""
    heard = []
    steps = (pipeline.Step("listen", "listen", lambda settings, run, *feed: heard.append((run, *feed)) or {}),)
    monkeypatch.setattr(pipeline, "FEED_STEPS", steps)
    dag_run = SimpleNamespace(dag_id="land_accounts", run_id="r1", partition_key=partition_key)
    pipeline.run_task("listen", "accounts", dag_run=dag_run, params=params)
    return heard[0]


def test_the_partition_is_the_delivery_day(monkeypatch):
    run, feed = told(monkeypatch, "2026-03-30", until="2026-01-01")
    assert (run.until, run.as_of, feed) == (date(2026, 3, 30), date(2026, 3, 30), "accounts")


def test_without_a_partition_the_params_say(monkeypatch):
    run, _ = told(monkeypatch, None, until="2026-01-01")
    assert (run.run_id, run.until, run.as_of) == ("land_accounts/r1", date(2026, 1, 1), None)


def test_a_run_survives_json():
    run = pipeline.Run("r", date(2026, 1, 2), date(2026, 1, 3), known_at=7, full_refresh=True)
    assert pipeline.Run.from_json(json.loads(json.dumps(run.to_json()))) == run
    assert pipeline.Run.from_json({"run_id": "r", "until": ""}) == pipeline.Run("r")
    with pytest.raises(ValueError, match="YYYY-MM-DD"):
        pipeline.Run.from_json({"run_id": "r", "as_of": "1.2.2026"})


def test_messages_of_libraries_stay_out_of_sight():
    assert "Anna" not in airflow_run.explain(ValueError("cannot convert Anna Muster"))
    assert "gate candidate blocks" in airflow_run.explain(GateFailed(GateReport("candidate", 1)))
