"""What dbt gives to Jinja and sqlfluff does not know, so that models can be linted without a warehouse."""

import datetime
from collections.abc import Callable
from types import SimpleNamespace

modules = SimpleNamespace(datetime=datetime)
execute = False
target = SimpleNamespace(type="duckdb")
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


def _dispatch(name: str) -> Callable[..., str]:
    """A macro that engines have each their own of, as a function of its arguments that are SQL."""
    return lambda *arguments: f"{name}({', '.join(str(each) for each in arguments if str(each).strip(' ,'))})"


adapter = SimpleNamespace(dispatch=_dispatch)


def env_var(name: str, default: str = "") -> str:
    """The variable's default."""
    return default
