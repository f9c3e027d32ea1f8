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
from cx360.sql import literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

#: Files of a state: records as they once were, records that changed or went since, links as they are.
_BASE, _CHANGES, _LINKS, _MADE_BY = "records.parquet", "changes.parquet", "links.parquet", "made_by"

#: Above this share of changes all records are written anew.
_MOST_CHANGES = 0.1


def find(settings: Settings, model: Model) -> Path | None:
    """Folder of the state, if there is one that this model and these libraries made."""
    folder = settings.home / "matching"
    made_by = folder / _MADE_BY
    if not made_by.exists() or made_by.read_text() != _versions(settings, model):
        return None
    return folder


def show(db: "DuckDBPyConnection", folder: Path) -> None:
    """Views ``old_records`` and ``old_links`` of a state."""
    changes = _read(folder / _CHANGES)
    db.execute(f"""
        create or replace view old_records as
        select * from {_read(folder / _BASE)} where party_id not in (select party_id from {changes})
        union all by name
        select * exclude (is_gone) from {changes} where not is_gone
    """)
    db.execute(f"create or replace view old_links as from {_read(folder / _LINKS)}")


def keep(settings: Settings, model: Model, db: "DuckDBPyConnection", workshop: Path, kept: Path | None) -> None:
    """Replace the state by ``records`` and ``links``; killed within, there is the old one, the new one or none.

    Args:
        settings: of the deployment.
        model: that made them.
        db: has the tables.
        workshop: a folder on the same file system.
        kept: the state before; most of its records are kept as they are in their file.
    """
    from cx360 import lake

    fresh = workshop / "matching"
    fresh.mkdir(mode=0o700)
    if kept and _share_changed(db, kept) <= _MOST_CHANGES:
        os.link(kept / _BASE, fresh / _BASE)
    else:
        lake.write(db, fresh / _BASE, "from records")
    lake.write(db, fresh / _CHANGES, _changes(fresh / _BASE))
    lake.write(db, fresh / _LINKS, "from links")
    for path in fresh.iterdir():
        path.chmod(0o600)
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


def _read(path: Path) -> str:
    return f"read_parquet({literal(str(path))})"


def _changes(base: Path) -> str:
    """SQL of the records that are not as the base has them, and of the ids in it that are gone."""
    return f"""
        select records.*, false as is_gone
        from records left join (select party_id, row_hash from {_read(base)}) as base using (party_id)
        where records.row_hash is distinct from base.row_hash
        union all by name
        select party_id, true as is_gone
        from (select party_id from {_read(base)}) where party_id not in (select party_id from records)
    """


def _share_changed(db: "DuckDBPyConnection", kept: Path) -> float:
    """Changes since the base was written, as a share of it."""
    ((changes, base),) = db.execute(
        f"select (select count(*) from ({_changes(kept / _BASE)})), (select count(*) from {_read(kept / _BASE)})"
    ).fetchall()
    return float(changes / max(base, 1))


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
