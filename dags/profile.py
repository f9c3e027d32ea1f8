"""### Build, audit and publish the profiles

Builds everything from the deliveries that passed their gates, audits the candidate and publishes it in one
transaction. Runs once a delivery day, when `deliveries` closes it; a feed that is missing is no reason to wait, its
figures are as old as its last delivery. Until `publish` is green readers see yesterday's publication, whole.

**When `open_warehouse`, `build_evidence`, `resolve_identity` or `build_tables` is red**: the models could not be
built. The message names the model; `dbt/logs/dbt.log` below `CX360_HOME` has the details, `ops.dbt_results` each
model's rows and time. Mend it and clear from the red task. A warehouse that another process holds is waited for. Where
it says that a text could not be read, compare seeds `text_*` of your own with the shipped ones.

**When `check_candidate` is red**: a rule blocked the publication, or could not be checked, which counts the same.
`ops.gate_results` says which rule, what was expected and what was found. Find out which delivery brought it, have it
replaced or drop it (`cx360 quarantine drop ARRIVAL --reason "…"`), and build the day anew.

**When `publish` is red**: the database was not reachable or refused. Nothing is half visible. Clear the task.

**When `notify` is red**: the notifier (`CX360_NOTIFIER`) failed; the publication stands. `ops.notifications` says what
was told; clear the task to tell the rest.

**Connections** that break are tried again twice; nothing else is.

**To build a day anew**, with everything that is known by now: `cx360 airflow dags trigger profile --conf '{"as_of":
"2026-03-31"}'`. Readers see what was published last: after an earlier day, build the later ones again.

More in `docs/runbook.md`; `cx360 doctor` says what is wrong, `cx360 publish --rollback` shows readers what they saw
before.

Params: `as_of` is the business day the profiles speak for; empty is the latest business date of any feed.
`full_refresh` computes every day anew.
"""

from airflow.sdk import DAG, Param, PartitionedAssetTimetable, chain, task

from cx360.airflow_home import WAREHOUSE_POOL
from cx360.airflow_tasks import DEFAULT_ARGS, DELIVERIES, OUTLETS, deadline, run_step
from cx360.pipeline import BUILD_STEPS

with DAG(
    dag_id="profile",
    description="Build, audit and publish the profiles",
    doc_md=__doc__,
    schedule=PartitionedAssetTimetable(assets=DELIVERIES),
    catchup=False,
    max_active_runs=1,
    deadline=deadline(),
    tags=["cx360", "build"],
    default_args=DEFAULT_ARGS | {"pool": WAREHOUSE_POOL},
    params={
        "as_of": Param(
            None,
            type=["null", "string"],
            format="date",
            description="Without a partition: business day the profiles speak for; empty: the latest of any feed.",
        ),
        "full_refresh": Param(False, type="boolean", description="Compute every day anew."),
    },
):
    chain(
        *(
            task(
                task_id=step.name,
                multiple_outputs=False,
                doc_md=step.run.__doc__,
                outlets=[OUTLETS[step.name]] if step.name in OUTLETS else [],
            )(run_step)(step.name)
            for step in BUILD_STEPS
        )
    )
