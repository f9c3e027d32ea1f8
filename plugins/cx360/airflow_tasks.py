"""Airflow's side of the pipeline: what DAG files share.

Here belong the schedule of delivery days, the assets, the policy of tasks, and the functions that tasks call. What a
step does belongs in ``pipeline``. Only DAG files import this module: nothing else needs Airflow.
"""

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import (
    Asset,
    CronPartitionTimetable,
    ExceptionRetryPolicy,
    PokeReturnValue,
    RetryAction,
    RetryRule,
)

from cx360 import days, pipeline, sources
from cx360.pipeline import Run, Summary
from cx360.settings import Settings

if TYPE_CHECKING:
    from airflow.sdk.definitions.deadline import DeadlineAlert

#: A delivery day is closed: all it waited for is in the lake, or the cut-off has come. Emitted once, by one task:
#: several producers of one partition can leave their consumer waiting for ever (apache/airflow#71070).
DELIVERIES = Asset("cx360_deliveries")
PROFILE = Asset("cx360_profile")

#: Assets whose metadata is the summary of the step that made them.
OUTLETS = {
    "close_day": DELIVERIES,
    "build_evidence": Asset("cx360_evidence"),
    "build_tables": Asset("cx360_tables"),
    "publish": PROFILE,
}

#: How often a task looks for the files it waits for, and for how long at most; the cut-off comes first.
POKE_SECONDS = 180.0
NIGHT_SECONDS = 2 * 86400.0

DEFAULT_ARGS = {
    "owner": "data-engineering",
    "retries": 2,
    "retry_delay": timedelta(minutes=1),
    "retry_policy": ExceptionRetryPolicy(
        rules=[
            RetryRule(
                exception=["sqlalchemy.exc.OperationalError", "psycopg.OperationalError"],
                action=RetryAction.RETRY,
                reason="the connection to PostgreSQL was lost",
            )
        ],
        default=RetryAction.FAIL,
    ),
}


def delivery_days() -> CronPartitionTimetable:
    """One run per delivery day, from the midnight that ends it in the bank's time zone; its key is YYYY-MM-DD.

    The tick is at midnight so that a backfill's last day, which Airflow reads as its first moment, is included.
    """
    return CronPartitionTimetable(
        "0 0 * * *", timezone=sources.bank(Settings()).timezone, run_offset=-1, key_format="%Y-%m-%d"
    )


def deadline() -> "DeadlineAlert | None":
    """Tells when the publication of a delivery day is late; None where ``CX360_PUBLISHED_BY`` is not set."""
    due = Settings().published_by
    if due is None:
        return None
    from airflow.sdk.definitions.callback import AsyncCallback
    from airflow.sdk.definitions.deadline import DeadlineAlert

    from cx360.airflow_deadline import EndOfDeliveryDay

    return DeadlineAlert(
        name="published_by",
        reference=EndOfDeliveryDay(),
        interval=timedelta(hours=due.hour, minutes=due.minute),
        callback=AsyncCallback("cx360.airflow_deadline.tell_late"),
    )


def list_feeds() -> list[str]:
    """Feeds that the sources of this deployment deliver; one landing task is mapped to each."""
    return days.feeds(Settings())


def land(feed: str, **context: Any) -> PokeReturnValue:
    """Land what is there of a feed; look again until what the delivery day expects of it is in, or the cut-off."""
    settings = Settings()
    summary = pipeline.LAND(settings, _run(context), feed)
    return PokeReturnValue(is_done=not _waits(settings, context, feed), xcom_value=summary)


def close_day(**context: Any) -> PokeReturnValue:
    """Close the delivery day; before the cut-off, wait while a feed is missing because its landing failed."""
    settings = Settings()
    if _waits(settings, context, None):
        return PokeReturnValue(is_done=False)
    return PokeReturnValue(is_done=True, xcom_value=run_step("close_day", **context))


def run_step(step: str, **context: Any) -> Summary:
    """Run a step of the pipeline; its summary is the task's result and the metadata of the assets it makes."""
    steps = {each.name: each for each in (*pipeline.DAY_STEPS, *pipeline.BUILD_STEPS)}
    summary = steps[step](Settings(), _run(context))
    if step in OUTLETS:
        context["outlet_events"][OUTLETS[step]].extra = summary
    return summary


def _waits(settings: Settings, context: dict[str, Any], feed: str | None) -> bool:
    """Whether the partition is open and misses a file; a run without a partition never waits."""
    key = getattr(context["dag_run"], "partition_key", None)
    if not key:
        return False
    day = date.fromisoformat(key)
    return days.is_open(settings, day) and bool(days.missing(settings, day, feed))


def _run(context: dict[str, Any]) -> Run:
    """What the run is told: by its partition, which is the delivery day and the build's as_of; else by its params.

    A build that a closing set off knows what that closing knew; one that somebody asked for knows all there is.
    """
    dag_run, params = context["dag_run"], context["params"]
    day = getattr(dag_run, "partition_key", None)
    closings = (context.get("triggering_asset_events") or {}).get(DELIVERIES, ())
    return Run.from_json(
        {
            "run_id": f"{dag_run.dag_id}/{dag_run.run_id}",
            "until": day or params.get("until"),
            "as_of": day or params.get("as_of"),
            "known_at": max((event.extra["known_at"] for event in closings), default=None),
            "full_refresh": params.get("full_refresh", False),
        }
    )
