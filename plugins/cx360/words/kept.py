"""Kept: what texts said, by the file of the lake they are in, so that a day reads the day's files only.

Here belongs a folder below ``pii/words``. The lake's files never change, so what was read of one is right for ever, by
the same version of reading; that of another is thrown away. It can all be thrown away: the next run reads anew.
"""

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from cx360.settings import Settings

if TYPE_CHECKING:
    import pyarrow as pa


def folder_of(settings: Settings) -> Path:
    """Where it is kept: what is personal is below a folder named ``pii``."""
    return settings.home / "pii" / "words"


def find(settings: Settings, version: str, texts: str) -> "pa.Table | None":
    """What that version made of a file of texts, if it did."""
    import pyarrow.parquet as pq

    path = _path(settings, version, texts)
    return pq.read_table(path) if path.exists() else None


def keep(settings: Settings, version: str, texts: str, found: "pa.Table") -> None:
    """Keep what a version made of a file of texts: all of it or, if killed, nothing."""
    import pyarrow.parquet as pq

    from cx360 import lake

    path = _path(settings, version, texts)
    for folder in (path.parents[2], path.parents[1], path.parent):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with lake.workshop(settings) as folder:
        fresh = folder / path.name
        pq.write_table(found, fresh)
        fresh.chmod(0o600)
        with fresh.open("rb") as file:
            os.fsync(file.fileno())
        fresh.rename(path)


def forget_others(settings: Settings, version: str) -> None:
    """Throw away what other versions made."""
    place = folder_of(settings)
    for other in place.iterdir() if place.exists() else ():
        if other.name != version:
            shutil.rmtree(other)


def _path(settings: Settings, version: str, texts: str) -> Path:
    return folder_of(settings) / version / Path(texts).name
