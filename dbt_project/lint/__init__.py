"""What dbt gives to Jinja and sqlfluff does not know, so that models can be linted without a warehouse."""

import datetime
from types import SimpleNamespace

modules = SimpleNamespace(datetime=datetime)
execute = False
flags = SimpleNamespace(FULL_REFRESH=False)

_VARS = {
    "as_of": "2026-03-31",
    "known_at": 1,
    "timezone": "Europe/Berlin",
    "reporting_currency": "EUR",
    "lake": "",
}


def var(name: str, default: object = None) -> object:
    """The variable's example value."""
    return _VARS.get(name, default)


def env_var(name: str, default: str = "") -> str:
    """The variable's default."""
    return default
