"""### Land one feed

Takes the feed's new deliveries from the inbox into the lake (`land`) and lets them through their gate (`check`).
One DAG per feed, all alike. A run without new deliveries is green and costs a second.

**When `land` is red**: a source cannot be read (folder or source.yaml wrong) or the disk is full. The message names
what. Mend it and clear the task; what landed before is not taken twice. A broken file or a wrong mapping does not make
this task red: the delivery is in `ops.deliveries` with outcome `unreadable` and a message that says what to do.

**When `check` is red**: a delivery was blocked. It is kept, and nobody sees its rows. `cx360 quarantine show ARRIVAL`
says which rule, what was expected and found, and what to do. Ask the sender for a better file and put it into the
inbox; or mend `source.yaml` or the mapping, and the next run lands the file anew (`cx360 replay`, when it left the
inbox); or decide: `cx360 quarantine release ARRIVAL --reason "…"`, or `drop`. Clearing the task alone does not help: a
verdict stands.

**Connections** that break are tried again twice; nothing else is.

Params: `until` lands deliveries up to that delivery day, for a backfill as one range; empty lands all there are.
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
from cx360.pipeline import FEED_STEPS, run_task

lost_connections = ExceptionRetryPolicy(
    rules=[RetryRule(exception="sqlalchemy.exc.OperationalError", action=RetryAction.RETRY)],
    default=RetryAction.FAIL,
)

for minute, feed in enumerate(FEEDS):
    with DAG(
        dag_id=f"land_{feed}",
        description=f"Take new deliveries of {feed} into the lake and through their gate",
        doc_md=__doc__,
        schedule=f"{minute} 4 * * *",
        start_date=datetime(2026, 1, 1, tzinfo=UTC),
        catchup=False,
        max_active_runs=1,
        tags=["cx360", "feed"],
        default_args={
            "owner": "data-engineering",
            "retries": 2,
            "retry_delay": timedelta(minutes=1),
            "retry_policy": lost_connections,
        },
        params={
            "until": Param(
                None,
                type=["null", "string"],
                format="date",
                description="Land deliveries up to this delivery day; empty: all there are.",
            ),
        },
    ):
        chain(
            *(
                task(
                    task_id=step.name,
                    multiple_outputs=False,
                    doc_md=step.run.__doc__,
                    outlets=[Asset(f"cx360_{feed}")] if step is FEED_STEPS[-1] else [],
                )(run_task)(step.name, feed)
                for step in FEED_STEPS
            )
        )
