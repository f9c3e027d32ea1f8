"""The deadline of a delivery day, as Airflow's scheduler and triggerer need it.

Here belongs from when the time until a deadline counts, and what happens when it is missed. Whether there is one and
when it is due, in ``airflow_tasks``. ``plugins/cx360_plugin.py`` makes the reference known to Airflow.
"""

import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk.definitions.deadline import BaseDeadlineReference, deadline_reference

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

log = logging.getLogger(__name__)


@deadline_reference
class EndOfDeliveryDay(BaseDeadlineReference):
    """The midnight that ends the delivery day of a run.

    A run without a partition has no deadline, nor has one for an earlier night: backfills are not late.

    Airflow's own references do not serve: a partitioned run has no logical date, and one that counts from queueing
    makes clearing a run fail (apache/airflow#70368).
    """

    required_kwargs = frozenset({"dag_id", "run_id"})

    def _evaluate_with(self, *, session: "Session", dag_id: str, run_id: str) -> datetime | None:
        from airflow.models.dagrun import DagRun
        from sqlalchemy import select

        starts = session.scalar(select(DagRun.partition_date).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id))
        ends = starts + timedelta(days=1) if starts else None
        return ends if ends and datetime.now(UTC) < ends + timedelta(days=1) else None


async def tell_late(context: dict[str, Any] | None = None, **_: Any) -> None:
    """Write down that a publication is late."""
    run = (context or {}).get("dag_run") or {}
    log.error(
        "late: %s has not published delivery day %s. See the runs of deliveries and profile of that day.",
        run.get("dag_id", "profile"),
        run.get("partition_key", "?"),
    )
