"""State: what an earlier call found, kept so that a day costs what it brings.

Here belongs the folder ``pii/matching/`` below home: features and links of the records as they were, personal, readable
by its owner only. Any state will do to begin with, for a call compares it with the records as they are; one of another
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


def folder_of(settings: Settings) -> Path:
    """Where it is kept: what is personal is below a folder named ``pii``."""
    return settings.home / "pii" / "matching"


def find(settings: Settings, model: Model) -> Path | None:
    """Folder of the state, if there is one that this model and these libraries made."""
    folder = folder_of(settings)
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
    """Replace the state by what ``match`` made; killed within, there is the old one, the new one or none.

    Args:
        settings: of the deployment.
        model: that made them.
        db: has ``gathered``, ``keyed`` and ``links``.
        workshop: a folder on the same file system.
        kept: the state before; most of its records are kept as they are in their file.
    """
    from cx360 import lake

    fresh = workshop / "matching"
    fresh.mkdir(mode=0o700)
    if kept and _share_changed(db, kept / _BASE) <= _MOST_CHANGES:
        os.link(kept / _BASE, fresh / _BASE)
    else:
        lake.write(db, fresh / _BASE, _RECORDS)
        _share_changed(db, fresh / _BASE)
    lake.write(db, fresh / _CHANGES, _CHANGED)
    lake.write(db, fresh / _LINKS, "from links")
    for path in fresh.iterdir():
        path.chmod(0o600)
    (fresh / _MADE_BY).write_text(_versions(settings, model))
    place = folder_of(settings)
    if place.exists():
        place.rename(workshop / "matching_before")
    place.parent.mkdir(mode=0o700, exist_ok=True)
    fresh.rename(place)
    shutil.rmtree(workshop / "matching_before", ignore_errors=True)
    descriptor = os.open(place.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read(path: Path) -> str:
    return f"read_parquet({literal(str(path))})"


_RECORDS = """
    select gathered.*, keyed.row_hash
    from gathered join (select party_id, row_hash from keyed) as keyed using (party_id)
"""

_CHANGED = """
    select gathered.*, differing.row_hash, false as is_gone
    from gathered join (select * from differing where not is_gone) as differing using (party_id)
    union all by name
    select party_id, is_gone from differing where is_gone
"""


def _share_changed(db: "DuckDBPyConnection", base: Path) -> float:
    """Make table ``differing`` (party_id, row_hash, is_gone) of what is not as in the base; its share of that."""
    db.execute(f"""
        create or replace table differing as
        select coalesce(keyed.party_id, base.party_id) as party_id, keyed.row_hash, keyed.party_id is null as is_gone
        from (select party_id, row_hash from keyed) as keyed
        full join (select party_id, row_hash from {_read(base)}) as base using (party_id)
        where keyed.row_hash is distinct from base.row_hash
    """)
    ((changes, records),) = db.execute(
        f"select (select count(*) from differing), (select count(*) from {_read(base)})"
    ).fetchall()
    return float(changes / max(records, 1))


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
