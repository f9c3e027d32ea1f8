"""State: what an earlier call found, kept so that a day costs what it brings.

Here belongs the folder ``matching/`` below home: features and links of the records as they were, personal, readable by
its owner only. Any state will do to begin with, for a call compares it with the records as they are; one of another
model or another version of a library counts as none. It may be thrown away.
"""

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from cx360 import privacy
from cx360.matching import features
from cx360.matching.model import Model
from cx360.settings import Settings

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_MADE_BY = "made_by"


def find(settings: Settings, model: Model) -> Path | None:
    """Folder of the state, if there is one that this model and these libraries made."""
    folder = settings.home / "matching"
    made_by = folder / _MADE_BY
    if not made_by.exists() or made_by.read_text() != _versions(settings, model):
        return None
    return folder


def keep(settings: Settings, model: Model, db: "DuckDBPyConnection", workshop: Path) -> None:
    """Replace the state by tables ``records`` and ``links``; killed within, there is the old one, the new one or none.

    Args:
        settings: of the deployment.
        model: that made them.
        db: has the tables.
        workshop: a folder on the same file system.
    """
    from cx360 import lake

    fresh = workshop / "matching"
    fresh.mkdir(mode=0o700)
    for name in ("records", "links"):
        lake.write(db, fresh / f"{name}.parquet", f"from {name}")
        (fresh / f"{name}.parquet").chmod(0o600)
    (fresh / _MADE_BY).write_text(_versions(settings, model))
    place = settings.home / "matching"
    if place.exists():
        place.rename(workshop / "matching_before")
    fresh.rename(place)
    shutil.rmtree(workshop / "matching_before", ignore_errors=True)
    descriptor = os.open(settings.home, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _versions(settings: Settings, model: Model) -> str:
    """What the same records' features and weights are a function of."""
    from importlib.metadata import version

    of_libraries = (f"{name} {version(name)}" for name in ("duckdb", "splink", "pypinyin", "nameparser"))
    parts = (
        f"model {model.version}",
        f"features {features.VERSION}",
        f"normalisation {privacy.NORMALISATION_VERSION}",
        f"key {privacy.key_id(settings)}",
        *of_libraries,
    )
    return "\n".join(parts)
