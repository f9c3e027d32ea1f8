"""Airflow's scheduler with what its tasks import already imported: ``python -m cx360.airflow_scheduler``.

LocalExecutor's workers are forks of the scheduler, and each task is a fork of a worker. Importing Airflow's task
runner, DuckDB, dbt and Great Expectations takes a task longer than a small bank's work; imported here once, they are
there in every task, and share its memory. Here belongs nothing but that; a scheduler started in another way runs the
same tasks, only slower.
"""

import importlib
import sys

#: Imported modules start no thread and open no connection: a fork must not inherit either.
MODULES = (
    "airflow.sdk.execution_time.task_runner",
    "cx360.airflow_tasks",
    "cx360.landing",
    "cx360.gates.checking",
    "cx360.gates.delivery",
    "cx360.publish",
    "cx360.warehouse",
    "dbt.adapters.duckdb",
    "dbt.cli.main",
    "duckdb",
    "psycopg",
    "pyarrow.parquet",
    "sqlalchemy.orm",
)


def main() -> None:
    """Import, then become the scheduler."""
    for name in MODULES:
        importlib.import_module(name)
    from airflow.__main__ import main as airflow

    from cx360.gates import checking

    checking.import_library()
    sys.argv = ["airflow", "scheduler", *sys.argv[1:]]
    airflow()


if __name__ == "__main__":
    main()
