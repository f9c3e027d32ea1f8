"""dbt's results: each model's rows, time and tests, kept in ``ops.dbt_results`` and told to Airflow's assets.

Here belongs reading a result of dbt and writing it down. Calling dbt belongs in ``warehouse``.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dbt.contracts.results import RunResult
    from sqlalchemy.orm import Session


def record(
    session: "Session", run_id: str, step: str, results: "list[RunResult]", row_counts: dict[str, int]
) -> dict[str, dict[str, Any]]:
    """Write what became of each node of one call of dbt.

    Args:
        session: on the ledger.
        run_id: of the run that called.
        step: of the pipeline that called.
        results: as dbt gives them.
        row_counts: rows of the tables that were built, by dbt's unique id.

    Returns:
        By model: ``rows`` (None for a view), ``seconds``, and how many of its tests passed, ``tests``. For an asset's
        metadata; names and counts only.
    """
    from cx360.ledger import DbtResult

    session.add_all(
        DbtResult(
            run_id=run_id,
            step=step,
            node=result.node.name,
            resource_type=str(result.node.resource_type),
            status=str(result.status),
            seconds=round(result.execution_time, 3),
            row_count=row_counts.get(result.node.unique_id),
            failures=result.failures,
        )
        for result in results
    )
    passed = [tested_model(result) for result in results if str(result.status) == "pass"]
    return {
        result.node.name: {
            "rows": row_counts.get(result.node.unique_id),
            "seconds": round(result.execution_time, 2),
            "tests": passed.count(result.node.unique_id),
        }
        for result in results
        if str(result.node.resource_type) == "model"
    }


def tested_model(result: "RunResult") -> str | None:
    """Unique id of the model a test is about; None for one that is about several, or for what is no test."""
    attached: str | None = getattr(result.node, "attached_node", None)
    if attached is None and str(result.node.resource_type) == "test":
        models = [node for node in result.node.depends_on.nodes if node.startswith("model.")]
        attached = models[0] if len(models) == 1 else None
    return attached
