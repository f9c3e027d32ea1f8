"""What the bench of matching reads: a home with many persons' records landed and built, and what a day before left.

Here belongs the making of it, once per size, before any clock. What is measured is ``work``'s.
"""

import shutil
from pathlib import Path

from cx360 import engines, ledger, matching, pipeline, postgres, sample, warehouse
from cx360.matching import model, state
from cx360.settings import Settings

#: Records that a day brings.
NEW = 10_000

#: The features of all records, for who is not cx360.
FEATURES = "features.parquet"

#: The state of the day before, without the new records.
BEFORE = "matching_before"

_IS_NEW = "hash(party_id) % {share} = 0"


def home(folder: Path, records: int) -> Path:
    """A home whose warehouse has about that many persons' records (1/25 of them second ones), made unless it is there.

    Args:
        folder: to make it in.
        records: at least 100.
    """
    place = folder / f"parties_{records}"
    if (place / "ready").exists():
        return place
    shutil.rmtree(place, ignore_errors=True)
    bank = place.with_suffix(".bank")
    shutil.rmtree(bank, ignore_errors=True)
    sample.generate(round(records / 1.044), 30, seed=1000, out=bank, feeds=["parties"])
    settings = Settings(home=place, inbox=bank / "inbox", memory_limit="12GB")  # a million parties in one file
    try:
        _build(settings)
        _keep_features(settings, max(2, records // NEW))
    finally:
        ledger.dispose()
        postgres.stop(settings)
    (place / "ready").touch()
    return place


def is_new(records: int) -> str:
    """SQL that is true of about NEW of so many records."""
    return _IS_NEW.format(share=max(2, records // NEW))


def _build(settings: Settings) -> None:
    run = pipeline.Run("bench")
    pipeline.land(settings, run, "parties")
    pipeline.check(settings, run)
    pipeline.open_warehouse(settings, run)
    pipeline.build_evidence(settings, run)
    pipeline.resolve_identity(settings, run)


def _keep_features(settings: Settings, share: int) -> None:
    """Features as the model's SQL needs them, and the state of the records that are not new."""
    known = model.load(settings)
    paths = warehouse.identifier_files(settings, "parties")
    with engines.open_warehouse(settings, read_only=True) as db:
        records = db.query(matching.RECORDS)
    with matching.workbench(settings) as (duck, folder):
        duck.register("all_records", records)
        duck.execute("create view given_records as from all_records")
        matching.match(duck, paths, known, None)
        duck.execute(f"copy usable to '{settings.home / FEATURES}' (format parquet)")
        is_old = f"not ({_IS_NEW.format(share=share)})"
        duck.execute(f"create or replace view given_records as from all_records where {is_old}")
        matching.match(duck, paths, known, None)
        state.keep(settings, known, duck, folder, None)
    state.folder_of(settings).rename(settings.home / BEFORE)
