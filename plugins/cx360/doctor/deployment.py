"""Deployment: settings in force, versions installed, secrets, and who else may read or listen."""

import os
import re
import stat
import sys
from collections.abc import Iterator
from datetime import timedelta
from difflib import get_close_matches
from importlib import metadata
from pathlib import Path
from shlex import quote
from typing import Any

from pydantic import SecretStr

from cx360 import sources
from cx360.doctor.report import Finding
from cx360.settings import PROJECT, Settings

#: Variables named CX360_* that are no settings: the folder of tests on real files, and what dbt is told.
_OTHER_VARIABLES = {"CX360_REAL_DATA", "CX360_WAREHOUSE"}

#: What a run's answers hang on.
_SHOWN = ("apache-airflow-core", "dbt-core", "dbt-duckdb", "duckdb", "great-expectations", "pyarrow", "sqlalchemy")

#: Switches that must not be on; cx360 sets them off for itself.
_TELEMETRY = ("DBT_SEND_ANONYMOUS_USAGE_STATS", "GX_ANALYTICS_ENABLED", "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED")
_TRUE = {"1", "true", "t", "yes", "y", "on"}

_LOOPBACK = {None, "", "localhost", "127.0.0.1", "::1"}
_TLS = {"require", "verify-ca", "verify-full"}


def check_settings(settings: Settings, older: timedelta) -> Iterator[Finding]:
    """Each setting with where it comes from; variables nobody reads; sources that cannot be read."""
    for name in Settings.model_fields:
        variable = f"CX360_{name.upper()}"
        origin = "environment" if variable in os.environ else "default"
        yield Finding("settings", "ok", f"{variable}={_masked(getattr(settings, name))}  ({origin})")
    known = {f"CX360_{name.upper()}" for name in Settings.model_fields} | _OTHER_VARIABLES
    for variable in sorted(name for name in os.environ if name.startswith("CX360_") and name not in known):
        near = get_close_matches(variable, known, 1)
        yield Finding(
            "settings",
            "warning",
            f"{variable} is set, and no setting has that name{f'; {near[0]} has' if near else ''}",
            f"unset {variable}{f'; export {near[0]}=…' if near else ''}",
        )
    if not settings.home.is_absolute():
        yield Finding(
            "settings",
            "warning",
            f"CX360_HOME={settings.home} is relative: another working folder is another home",
            f"export CX360_HOME={quote(str(settings.home.resolve()))}",
        )
    if not settings.home.exists():
        yield Finding("settings", "warning", f"home {settings.home} does not exist yet", "make run")
    try:
        bank = sources.bank(settings)
    except sources.SourceError as error:
        yield Finding("settings", "error", str(error), "mend that source.yaml, or export CX360_SOURCES=…")
        return
    yield Finding("settings", "ok", f"the bank's time zone is {bank.timezone}, its currency {bank.reporting_currency}")


def _masked(value: Any) -> str:
    """A setting as it may be told; of a URL all but the password."""
    if not isinstance(value, SecretStr):
        return "" if value is None else str(value)
    secret = value.get_secret_value()
    if "://" not in secret:
        return "***"
    from sqlalchemy import make_url

    place = make_url(secret)
    return place.set(query={k: v for k, v in place.query.items() if k != "password"}).render_as_string()


def check_versions(settings: Settings, older: timedelta) -> Iterator[Finding]:
    """Python and what is installed, against the lock file."""
    lock = PROJECT / "requirements.lock"
    locked = dict(re.findall(r"^([\w.-]+)==([^\s;\\]+)", lock.read_text(), re.MULTILINE))
    installed = {_canonical(found.name): found.version for found in metadata.distributions() if found.name}
    shown = ", ".join(f"{name} {installed.get(name, 'missing')}" for name in _SHOWN)
    yield Finding("versions", "ok", f"Python {sys.version.split()[0]}, {shown}")
    wrong = {
        name: version
        for name, version in locked.items()
        if installed.get(_canonical(name)) not in (version, None) or (name in _SHOWN and name not in installed)
    }
    if wrong:
        said = ", ".join(f"{n} {installed.get(_canonical(n), 'missing')} instead of {v}" for n, v in wrong.items())
        yield Finding(
            "versions",
            "warning",
            f"not as requirements.lock says: {said}; the same rows may come out otherwise",
            f"{quote(sys.executable)} -m uv pip sync --require-hashes {quote(str(lock))} && "
            f"{quote(sys.executable)} -m uv pip install --no-deps --editable {quote(str(PROJECT))}",
        )


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def check_secrets(settings: Settings, older: timedelta) -> Iterator[Finding]:
    """Keys are there, outside the lake, and for their owner's eyes only."""
    keys = settings.home / "keys"
    if keys.exists() and keys.resolve().is_relative_to(settings.lake.resolve()):
        yield Finding(
            "secrets",
            "error",
            f"the keys lie in the lake ({keys.resolve()}): whoever gets the lake gets the names behind its tokens",
            f"mv {quote(str(keys.resolve()))} ELSEWHERE && ln -sfn ELSEWHERE {quote(str(keys))}",
        )
    files = sorted(path for path in keys.rglob("*") if path.is_file()) if keys.exists() else []
    for path in (keys, *files):
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077:
            mode = 700 if path.is_dir() else 600
            yield Finding(
                "secrets", "error", f"{path} can be read by other users", f"chmod {mode} {quote(str(path.resolve()))}"
            )
    if settings.token_key is None and not (keys / "token").exists() and any(settings.lake.glob("*/*.parquet")):
        yield Finding(
            "secrets",
            "error",
            f"the token key is lost: no {keys / 'token'}, no CX360_TOKEN_KEY, and the lake has tokens made with it",
            "bring back that file from a backup BEFORE anything is landed; without one see docs/runbook.md",
        )
    if not (keys / "identity").exists() and any(settings.publications.glob("*/tables.json")):
        yield Finding(
            "secrets",
            "error",
            f"the identity key is lost: no {keys / 'identity'}; the next build gives every person another profile_id",
            "bring back that file from a backup BEFORE the next build; without one see docs/runbook.md",
        )
    yield Finding("secrets", "ok", f"{len(files)} keys in {keys}")


def check_exposure(settings: Settings, older: timedelta) -> Iterator[Finding]:
    """What other users of the machine or the network can get at."""
    for path in (settings.lake / "pii", settings.staging):
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077 and _is_reached(path):
            yield Finding(
                "exposure",
                "error",
                f"{path} holds personal data and other users of this machine can read it",
                f"chmod 700 {quote(str(path))}",
            )
    if settings.home.exists() and stat.S_IMODE(settings.home.stat().st_mode) & 0o022:
        yield Finding(
            "exposure",
            "error",
            f"other users of this machine can put files into home {settings.home}",
            f"chmod go-w {quote(str(settings.home))}",
        )
    if settings.database_url is None:
        yield Finding("exposure", "ok", "the embedded PostgreSQL listens on 127.0.0.1 only")
        return
    from sqlalchemy import make_url

    place = make_url(settings.database_url.get_secret_value())
    mode = place.query.get("sslmode", os.environ.get("PGSSLMODE", "prefer"))
    if place.host not in _LOOPBACK and not str(place.host).startswith("/") and mode not in _TLS:
        yield Finding(
            "exposure",
            "warning",
            f"PostgreSQL on {place.host} may be spoken to without TLS (sslmode={mode}): rows in the clear",
            "add ?sslmode=verify-full to CX360_DATABASE_URL",
        )
    else:
        yield Finding("exposure", "ok", f"PostgreSQL on {place.host or 'this machine'}, sslmode={mode}")


def _is_reached(path: Path) -> bool:
    """Whether other users may pass through all folders above."""
    return all(stat.S_IMODE(parent.stat().st_mode) & 0o011 for parent in path.absolute().parents)


def check_telemetry(settings: Settings, older: timedelta) -> Iterator[Finding]:
    """No dependency calls home."""
    on = [name for name in _TELEMETRY if os.environ.get(name, "").lower() in _TRUE]
    for name in on:
        yield Finding("telemetry", "warning", f"{name} is on: it sends figures to its makers", f"export {name}=false")
    if not on:
        yield Finding("telemetry", "ok", "no switch of dbt, Great Expectations or Airflow is on")
