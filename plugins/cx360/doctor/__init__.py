"""Doctor: everything that can be wrong with a deployment, each with its cure; nothing is changed.

Here belongs looking. ``deployment`` looks at settings, versions and secrets, ``database`` at PostgreSQL, ``scheduler``
at Airflow, ``storage`` at disk, lake, warehouse and inbox; ``report`` is what they say. A check that cannot be made is
a finding too, so one that breaks takes no other down with it.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta

from cx360.doctor import database, deployment, scheduler, storage
from cx360.doctor.report import Finding, explain, show
from cx360.settings import Settings

__all__ = ["CHECKS", "Finding", "examine", "show"]

Check = Callable[[Settings, timedelta], Iterator[Finding]]

#: Every check by name, in the order they are told.
CHECKS: dict[str, Check] = {
    "settings": deployment.check_settings,
    "versions": deployment.check_versions,
    "secrets": deployment.check_secrets,
    "exposure": deployment.check_exposure,
    "telemetry": deployment.check_telemetry,
    "postgres": database.check_connections,
    "locks": database.check_locks,
    "airflow": scheduler.check_settings,
    "services": scheduler.check_services,
    "runs": scheduler.check_runs,
    "partitions": scheduler.check_partitions,
    "pool": scheduler.check_pool,
    "disk": storage.check_disk,
    "leftovers": storage.check_leftovers,
    "warehouse": storage.check_warehouse,
    "lake": storage.check_lake,
    "publications": storage.check_publications,
    "inbox": storage.check_inbox,
}


def examine(older_than: int) -> list[Finding]:
    """Look at the deployment the environment names.

    Args:
        older_than: minutes after which locks, partitions and leftovers are trouble.
    """
    from pydantic import ValidationError

    try:
        settings = Settings()
    except ValidationError as error:
        return [
            Finding(
                "settings",
                "error",
                f"CX360_{str(wrong['loc'][0]).upper()}: {wrong['msg']}",
                f"export CX360_{str(wrong['loc'][0]).upper()}=…  (or unset it: every default works)",
            )
            for wrong in error.errors(include_input=False, include_url=False)
        ]
    return [
        finding
        for name, check in CHECKS.items()
        for finding in _look(name, check, settings, timedelta(minutes=older_than))
    ]


def _look(name: str, check: Check, settings: Settings, older: timedelta) -> Iterator[Finding]:
    try:
        yield from check(settings, older)
    except Exception as error:  # whatever it is: the other checks go on
        yield Finding(name, "warning", f"could not check: {explain(error)}", "mend what the findings above say first")
