"""Matching through the real warehouse: from files to links, day by day as at once, and training."""

import random
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import Any

import pytest

from cx360 import engines, matching, pipeline
from cx360.matching import training
from cx360.settings import Settings
from tests.matching_people import crowd, soiled
from tests.pipeline.bank import deliver, settle

FIRST = date(2026, 3, 1)
COLUMNS = "id;name;given;family;born;phone;mail;street;postcode;town;gender;number;changed"
MAPPING = """
select id as party_id, 'person' as party_type, name as full_name, given as given_name, family as family_name,
    born as birth_date, phone, mail as email, street as address, postcode, town as city, gender,
    number as document_number, 'active' as status, changed as updated_at
from raw
"""


def bank(settings: Settings) -> Settings:
    """The bank of a few rows, with party files that have all that is matched."""
    own = settle(settings)
    (own.source_folders[0] / "parties.sql").write_text(MAPPING)
    return own


def file_of(people: Iterable[dict[str, Any]], day: date) -> str:
    """A party file; birth dates as this bank writes them."""
    lines = [COLUMNS]
    for p in people:
        born = ".".join(reversed(p["birth_date"].split("-"))) if p["birth_date"] else None
        name = f"{p['given_name']} {p['family_name']}"
        fields = [p["party_id"], name, p["given_name"], p["family_name"], born, p["phone"], p["email"], p["address"]]
        fields += [p["postcode"], p["city"], p["gender"], p["document"], day.strftime("%d.%m.%Y 10:00:00")]
        lines.append(";".join(f'"{value or ""}"' for value in fields))
    return "\n".join(lines) + "\n"


def build(settings: Settings, until: date) -> matching.Scores:
    """Land what there is, build the records, match them."""
    run = pipeline.Run(f"run {until}", until=until, as_of=until)
    pipeline.land(settings, run, "parties")
    pipeline.check(settings, run)
    pipeline.open_warehouse(settings, run)
    return resolve(settings, run)


def resolve(settings: Settings, run: pipeline.Run) -> matching.Scores:
    pipeline.build_evidence(settings, run)
    return matching.Scores(**pipeline.resolve_identity(settings, run)["matching"])


def links_of(settings: Settings) -> Any:
    with engines.open_warehouse(settings, read_only=True) as db:
        return db.query(f"select * from {matching.TABLE}")


def days_of(seed: int) -> list[list[dict[str, Any]]]:
    """Records by day: new people, second records of some, changes of others; a crowd shares a phone in the end.

    The crowd's phone is then suppressed, which changes what those records are matched by.
    """
    draw = random.Random(seed)
    first = crowd(120, seed)
    people = first + soiled(first[:60], seed + 1, "s")
    draw.shuffle(people)
    cuts = sorted(draw.sample(range(20, len(people)), 2))
    days = [people[: cuts[0]], people[cuts[0] : cuts[1]], people[cuts[1] :]]
    days[1] = [*days[1], *(p | {"family_name": "Neuhaus"} for p in draw.sample(days[0], 5))]
    known = {p["party_id"]: p for day in days for p in day}
    crowded = draw.sample(sorted(known), 60)
    return [*days, [known[party_id] | {"phone": "+49 30 901820"} for party_id in crowded]]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_day_by_day_equals_at_once(new_home: Callable[[str], Settings], seed: int) -> None:
    daily, whole = bank(new_home(f"daily{seed}")), bank(new_home(f"whole{seed}"))
    changed = []
    for number, people in enumerate(days_of(seed)):
        day = FIRST + timedelta(days=number)
        for home in (daily, whole):
            deliver(home, "people.csv", file_of(people, day), day.isoformat())
        changed.append(build(daily, day).changed_records)
    at_once = build(whole, day)
    assert at_once.changed_records == at_once.records > changed[1] > 0
    assert changed[-1] > 40
    found = links_of(daily)
    assert found.num_rows > 30
    assert found.equals(links_of(whole))
    assert sum(outcome == "match" for outcome in found["outcome"].to_pylist()) == at_once.matches


@pytest.mark.slow
def test_any_state_is_a_beginning(new_home: Callable[[str], Settings]) -> None:
    """Earlier days after later ones, a state of another model, a spoilt one, none: always the same links."""
    home = bank(new_home("any_state"))
    for number, people in enumerate(days_of(7)):
        day = FIRST + timedelta(days=number)
        deliver(home, "people.csv", file_of(people, day), day.isoformat())
    build(home, day)
    late = links_of(home)
    state = home.home / "pii" / "matching"
    assert state.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o077 for path in state.glob("*.parquet")} == {0}

    run = pipeline.Run("early", as_of=FIRST)
    pipeline.open_warehouse(home, run)
    early = resolve(home, run)
    assert 0 < early.records < late.num_rows + 500 and early.changed_records > 0
    assert not links_of(home).equals(late)

    assert build(home, day).changed_records > 0
    assert links_of(home).equals(late)
    assert build(home, day).changed_records == 0
    (state / "made_by").write_text("another model")
    assert build(home, day).changed_records == build(home, day).records
    assert links_of(home).equals(late)


@pytest.mark.slow
def test_training_writes_a_release_and_says_what_it_changes(new_home: Callable[[str], Settings]) -> None:
    home = bank(new_home("trained"))
    deliver(home, "people.csv", file_of([p for day in days_of(3)[:3] for p in day], FIRST))
    before = build(home, FIRST)
    report = training.train(home)
    with engines.open_warehouse(home, read_only=True) as db:
        assert links_of_version(db) == {before.model_version}, "the tables stay as they are until the next run"
    again = training.train(home, out=home.home / "again.json")
    told = report.as_dict()
    assert told["matches_after"] == told["matches_before"] + told["new_matches"] - told["lost_matches"]
    assert report.before == before.matches and told["run"] == f"run {FIRST}" and told["cut_off"] == FIRST.isoformat()
    assert report.path.with_suffix(".report.json").exists()
    assert again.path.read_text() != "" and again.model.trained == report.model.trained
    assert build(home, FIRST).model_version == report.model.version != before.model_version
    names = report.model.term_frequencies["given"].values
    assert names and all(share * report.records >= 19 for share in names.values())


def links_of_version(db: engines.Warehouse) -> set[str]:
    return set(db.query(f"select distinct model_version from {matching.TABLE}")["model_version"].to_pylist())
