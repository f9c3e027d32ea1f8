"""No call home: the variables that keep the libraries from telling their makers anything.

Importing any module of cx360 sets them, so they hold in every process that does: the command line, Airflow's
services and tasks, dbt inside them, tests, a notebook. Each is a default: what the caller's environment says already
stays. Airflow itself sends nothing. Here belong such switches only; DuckDB's, which are settings of a connection
(``autoinstall_known_extensions``, ``autoload_known_extensions``), are where connections are made.
"""

import os

SWITCHES = {
    # Usage statistics of dbt: its own switch, and the one several tools agreed on.
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "DO_NOT_TRACK": "1",
    # Usage statistics of Great Expectations, which earlier versions than ours sent.
    "GX_ANALYTICS_ENABLED": "false",
}


def apply() -> None:
    """Set what is not set."""
    for name, value in SWITCHES.items():
        os.environ.setdefault(name, value)
