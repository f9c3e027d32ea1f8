"""What Airflow must know of cx360 before it reads a DAG: the one module Airflow imports from this folder."""

from airflow.plugins_manager import AirflowPlugin

from cx360.airflow_deadline import EndOfDeliveryDay


class CX360Plugin(AirflowPlugin):
    """Makes the deadline's reference known to the scheduler."""

    name = "cx360"
    deadline_references = [EndOfDeliveryDay]  # noqa: RUF012
