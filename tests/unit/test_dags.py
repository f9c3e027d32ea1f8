"""The DAGs: thin, alike, safe to have on call."""

import ast
import json
import subprocess
import sys
from datetime import UTC, date
from pathlib import Path
from types import SimpleNamespace

import pytest

from cx360 import airflow_run, pipeline
from cx360.gates import GateFailed, GateReport
from cx360.settings import PROJECT, Settings

FILES = sorted((PROJECT / "dags").glob("*.py"))


@pytest.fixture(scope="module")
def dags(tmp_path_factory):
    """The DAGs as Airflow reads them, with a metadata database of its own."""
    return airflow_run.load_dags(Settings(home=tmp_path_factory.mktemp("airflow")))


def test_one_dag_takes_deliveries_and_one_builds(dags):
    assert set(dags) == {"deliveries", "profile"}


def test_every_file_gives_a_dag(dags):
    """Airflow passes over a file without both words, and says nothing."""
    assert {Path(dag.fileloc).name for dag in dags.values()} == {path.name for path in FILES}
    for path in FILES:
        assert {"airflow", "dag"} <= set(path.read_text().lower().replace(".", " ").replace("(", " ").split())


def test_dags_are_the_list_of_steps(dags):
    order = [task.task_id for task in dags["profile"].topological_sort()]
    assert order == [step.name for step in pipeline.BUILD_STEPS]
    order = [task.task_id for task in dags["deliveries"].topological_sort()]
    day = [step.name for step in (pipeline.LAND, *pipeline.DAY_STEPS)]
    assert order == ["list_feeds", *day, "all_passed"]
    assert dags["deliveries"].get_task("land").is_mapped


def test_a_day_has_at_most_ten_tasks_on_its_critical_path(dags):
    """Until readers see the day; ``notify`` comes after. ``all_passed`` is never run: the scheduler ends it itself."""
    assert dags["profile"].get_task("publish").downstream_task_ids == {"notify"}
    aside = {"all_passed", "notify"}
    assert sum(task.task_id not in aside for dag in dags.values() for task in dag.tasks) <= 10


def test_a_blocked_delivery_makes_the_run_red_and_holds_nothing_up(dags):
    tasks = {task.task_id: task for task in dags["deliveries"].tasks}
    assert tasks["check"].trigger_rule == tasks["close_day"].trigger_rule == "all_done"
    assert tasks["all_passed"].trigger_rule == "all_success"
    assert tasks["all_passed"].upstream_task_ids == {"land", "check", "close_day"}


def test_one_task_emits_what_the_build_waits_for(dags):
    """With one producer two half-filled pending runs of one partition cannot come to be."""
    from cx360.airflow_tasks import DELIVERIES

    emit = [task.task_id for dag in dags.values() for task in dag.tasks if DELIVERIES in task.outlets]
    assert emit == ["close_day"]
    assert dags["profile"].timetable.asset_condition == DELIVERIES


def test_the_partition_is_the_day_before_midnight_at_the_bank(dags):
    from datetime import datetime

    from airflow.serialization.encoders import coerce_to_core_timetable

    timetable = coerce_to_core_timetable(dags["deliveries"].timetable)
    assert str(timetable._timezone) == "Europe/Berlin"
    infos = list(
        timetable.iter_partition_dagrun_infos(
            earliest=datetime(2026, 3, 1, tzinfo=UTC), latest=datetime(2026, 3, 31, tzinfo=UTC)
        )
    )
    assert [info.partition_key for info in infos] == [f"2026-03-{day:02}" for day in range(1, 32)]


def test_what_touches_the_warehouse_waits_for_its_only_slot(dags):
    assert {task.pool for task in dags["profile"].tasks} == {"cx360_warehouse"}


def test_a_deadline_is_there_when_asked_for(monkeypatch):
    from cx360 import airflow_tasks

    assert airflow_tasks.deadline() is None
    monkeypatch.setenv("CX360_PUBLISHED_BY", "07:30")
    assert airflow_tasks.deadline().interval.total_seconds() == 7.5 * 3600


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
        if task.task_id == "all_passed":
            continue
        assert task.retries == 2
        assert task.retry_policy.evaluate(shut, 1, 2).action == RetryAction.FAIL
        assert task.retry_policy.evaluate(ValueError(), 1, 2).action == RetryAction.FAIL
        lost = OperationalError("select", {}, Exception())
        assert task.retry_policy.evaluate(lost, 1, 2).action == RetryAction.RETRY


def test_params_take_a_day_or_nothing(dags):
    from airflow.sdk.exceptions import ParamValidationError

    for dag, name in ((dags["profile"], "as_of"), (dags["deliveries"], "until")):
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
        assert found <= {
            "datetime",
            "airflow.sdk",
            "airflow.providers.standard.operators.empty",
            "cx360.airflow_home",
            "cx360.airflow_tasks",
            "cx360.pipeline",
        }, path.name
        assert not [n for n in nodes if isinstance(n, ast.FunctionDef | ast.Lambda)], f"{path.name} has logic"


def test_reading_dag_files_loads_nothing_heavy():
    code = (
        "import sys, airflow.sdk\n"
        "before = set(sys.modules)\n"
        "import cx360.airflow_tasks\n"
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
    assert [Path(path).name for path in found] == ["cx360_plugin.py"]


def test_nothing_is_sent_anywhere(dags):
    from airflow.configuration import conf

    assert not conf.getboolean("metrics", "statsd_on")
    assert not conf.getboolean("core", "load_examples")


def told(partition_key, closings=(), **params):
    """What a task is told."""
    from cx360.airflow_tasks import DELIVERIES, _run

    dag_run = SimpleNamespace(dag_id="profile", run_id="r1", partition_key=partition_key)
    events = {DELIVERIES: [SimpleNamespace(extra={"known_at": n}) for n in closings]}
    return _run({"dag_run": dag_run, "params": params, "triggering_asset_events": events if closings else {}})


def test_the_partition_is_the_delivery_day():
    run = told("2026-03-30", until="2026-01-01")
    assert (run.until, run.as_of) == (date(2026, 3, 30), date(2026, 3, 30))


def test_without_a_partition_the_params_say():
    run = told(None, until="2026-01-01")
    assert (run.run_id, run.until, run.as_of) == ("profile/r1", date(2026, 1, 1), None)


def test_a_build_knows_what_its_closing_knew():
    assert told("2026-03-30", closings=(7, 9)).known_at == 9
    assert told("2026-03-30").known_at is None


def test_a_run_survives_json():
    run = pipeline.Run("r", date(2026, 1, 2), date(2026, 1, 3), known_at=7, full_refresh=True)
    assert pipeline.Run.from_json(json.loads(json.dumps(run.to_json()))) == run
    assert pipeline.Run.from_json({"run_id": "r", "until": ""}) == pipeline.Run("r")
    with pytest.raises(ValueError, match="YYYY-MM-DD"):
        pipeline.Run.from_json({"run_id": "r", "as_of": "1.2.2026"})


def test_messages_of_libraries_stay_out_of_sight():
    assert "Anna" not in airflow_run.explain(ValueError("cannot convert Anna Muster"))
    assert "gate candidate blocks" in airflow_run.explain(GateFailed(GateReport("candidate", 1)))
