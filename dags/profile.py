"""### Build, audit and publish the profiles

Builds everything from the deliveries that passed their gates, audits the candidate and publishes it in one
transaction. Runs once a day, at the cut-off; a feed that is late or missing is no reason to wait, its figures are as
old as its last delivery. Until `publish` is green readers see yesterday's publication, whole.

**When `open_warehouse`, `build_evidence`, `resolve_identity` or `build_tables` is red**: the models could not be
built. The message names the model; `dbt/logs/dbt.log` below `CX360_HOME` has the
details. Mend it and clear from the red task.

**When `check_candidate` is red**: a rule blocked the publication, or could not be checked, which counts the same.
`ops.gate_results` says which rule, what was expected and what was found. Find out which delivery brought it, have it
replaced or drop it (`cx360 quarantine drop ARRIVAL --reason "…"`), and clear from `open_warehouse`.

**When `publish` is red**: the database was not reachable or refused. Nothing is half visible. Clear the task.

**Connections** that break are tried again twice; nothing else is.

More in `docs/runbook.md`; `cx360 doctor` says what is wrong, `cx360 publish --rollback` shows readers what
they saw before.

Params: `as_of` is the business day the profiles speak for; empty is the latest business date of any feed.
`full_refresh` computes every day anew.
"""

from datetime import UTC, datetime, timedelta

from airflow.sdk import (
    DAG,
    Asset,
    ExceptionRetryPolicy,
    Param,
    RetryAction,
    RetryRule,
    chain,
    task,
)

from cx360.contracts import FEEDS
from cx360.pipeline import BUILD_STEPS, run_task

lost_connections = ExceptionRetryPolicy(
    rules=[RetryRule(exception="sqlalchemy.exc.OperationalError", action=RetryAction.RETRY)],
    default=RetryAction.FAIL,
)

with DAG(
    dag_id="profile",
    description="Build, audit and publish the profiles",
    doc_md=__doc__,
    schedule="0 5 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    tags=["cx360", "build"],
    default_args={
        "owner": "data-engineering",
        "retries": 2,
        "retry_delay": timedelta(minutes=1),
        "retry_policy": lost_connections,
    },
    params={
        "as_of": Param(
            None,
            type=["null", "string"],
            format="date",
            description="Business day the profiles speak for; empty: the latest business date of any feed.",
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
                inlets=[Asset(f"cx360_{feed}") for feed in FEEDS] if step is BUILD_STEPS[0] else [],
                outlets=[Asset("cx360_profile")] if step is BUILD_STEPS[-1] else [],
            )(run_task)(step.name)
            for step in BUILD_STEPS
        )
    )
