"""Matching of party records: what counts as the same, what a pair weighs, and what must not change it."""

import json
from pathlib import Path
from typing import Any

import pytest

from cx360.matching import model as models
from cx360.matching.features import pinyin
from cx360.matching.scoring import WEIGHTS
from cx360.settings import PROJECT, Settings
from tests import matching_people
from tests.matching_people import Links, crowd, soiled

MODEL = models.read(PROJECT / models.FILE)

ADA: dict[str, Any] = {
    "given_name": "Annegret",
    "family_name": "Löwenstern",
    "birth_date": "1970-05-11",
    "phone": "+49 30 2312550001",
    "email": "a.loewenstern@example.org",
    "address": "Hauptstraße 5, 10115 Berlin",
    "postcode": "10115",
    "city": "Berlin",
    "gender": "female",
}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(home=tmp_path_factory.mktemp("matching") / "home", threads=2, memory_limit="1GB")


WHOLE = {k: v for k, v in ADA.items() if k not in ("given_name", "family_name")}
WEI = ADA | {"given_name": "伟", "family_name": "张"}

#: Pairs of records by what they are; all are scored at once, which costs what one costs.
PAIRS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "same": (ADA, ADA),
    "capitals": (ADA, ADA | {"family_name": "LOEWENSTERN"}),
    "no umlaut": (ADA, ADA | {"family_name": "Lowenstern"}),
    "tag": (ADA, ADA | {"email": "A.Loewenstern+bank@example.org"}),
    "local number": (ADA, ADA | {"phone": "030 / 2312550001"}),
    "short street": (ADA, ADA | {"address": "hauptstr. 5 10115 Berlin"}),
    "full name": (WHOLE | {"name": "Annegret Löwenstern"}, WHOLE | {"name": "Annegret Löwenstern"}),
    "title": (WHOLE | {"name": "Annegret Löwenstern"}, WHOLE | {"name": "Frau Dr. Annegret Löwenstern"}),
    "full and apart": (ADA, WHOLE | {"name": "Löwenstern, Annegret"}),
    "chinese and latin": (WEI, WEI | {"given_name": "Wei", "family_name": "ZHANG"}),
    "homophone": (WEI, WEI | {"given_name": "薇"}),
    "exchanged": (ADA, ADA | {"given_name": "Löwenstern", "family_name": "Annegret"}),
    "twin Hildegard": (ADA, ADA | {"given_name": "Hildegard"}),
    "twin Friedrich": (ADA, ADA | {"given_name": "Friedrich", "gender": "male"}),
    "twin Bo": (ADA, ADA | {"given_name": "Bo"}),
    "twin in full": (WHOLE | {"name": "Annegret Löwenstern"}, WHOLE | {"name": "Bo Löwenstern"}),
    "child": (ADA, ADA | {"birth_date": "1999-08-23"}),
    "slips": (ADA, ADA | {"given_name": "Anegret", "birth_date": "1970-11-05", "family_name": "Lövenstern"}),
}


@pytest.fixture(scope="module")
def found(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The link of each of the pairs, if there is one."""
    sides = ((f"{name}/{side}", person) for name, two in PAIRS.items() for side, person in zip("ab", two, strict=True))
    people = [person | {"party_id": party_id} for party_id, person in sides]
    links, _ = matching_people.links(settings, MODEL, people, tmp_path_factory.mktemp("pairs"))
    return {name: links.get((f"{name}/a", f"{name}/b")) for name in PAIRS}


@pytest.mark.parametrize(
    ("name", "spelt"),
    [("张伟", "wei zhang"), ("張偉", "wei zhang"), ("伟 张", "wei zhang"), ("欧阳娜娜", "na na ou yang"), ("吕", "lu")],
)
def test_chinese_names_are_spelt_a_word_a_syllable(name: str, spelt: str) -> None:
    assert pinyin(name) == spelt


@pytest.mark.parametrize("way", ["capitals", "no umlaut", "tag", "local number", "short street"])
def test_what_is_written_otherwise_weighs_the_same(found: dict[str, Any], way: str) -> None:
    assert {name: found[way][name] for name in WEIGHTS} == {name: found["same"][name] for name in WEIGHTS}
    assert found["same"]["outcome"] == "match"


def test_a_title_is_no_word_of_a_full_name(found: dict[str, Any]) -> None:
    assert found["title"]["full_name_millibits"] == found["full name"]["full_name_millibits"] > 0


def test_names_apart_and_in_one_are_compared(found: dict[str, Any]) -> None:
    link = found["full and apart"]
    assert link["outcome"] == "match" and link["full_name_millibits"] > 0 == link["given_name_millibits"]


def test_a_name_in_chinese_meets_itself_in_latin_letters(found: dict[str, Any]) -> None:
    link, other = found["chinese and latin"], found["homophone"]
    assert link["given_name_millibits"] > 0 and link["family_name_millibits"] > 0
    assert other is None or other["given_name_millibits"] < link["given_name_millibits"]


def test_given_and_family_name_may_be_exchanged(found: dict[str, Any]) -> None:
    assert found["exchanged"]["outcome"] == "match" and found["exchanged"]["given_name_millibits"] > 0


@pytest.mark.parametrize("who", ["twin Hildegard", "twin Friedrich", "twin Bo", "twin in full", "child"])
def test_relatives_do_not_match(found: dict[str, Any], who: str) -> None:
    assert found[who] is None or found[who]["outcome"] == "review"


def test_slips_of_the_pen_do_not_part(found: dict[str, Any]) -> None:
    assert found["slips"]["outcome"] == "match"


def test_weights_are_whole_and_add_up(settings: Settings, tmp_path: Path) -> None:
    people = crowd(200, 1)
    found, _ = matching_people.links(
        settings, MODEL, people + [p | {"party_id": f"z{p['party_id']}"} for p in people], tmp_path
    )
    assert len(found) >= 200
    for row in found.values():
        assert all(isinstance(row[name], int) for name in WEIGHTS)
        assert sum(row[name] for name in WEIGHTS) + MODEL.prior_millibits == row["weight_millibits"]
        assert row["outcome"] == ("match" if row["weight_millibits"] >= MODEL.threshold_millibits else "review")
        assert row["weight_millibits"] >= MODEL.review_millibits
        assert row["model_version"] == MODEL.version


def scores_of(links: Links, of: set[str]) -> dict[tuple[str, str], tuple[int, ...]]:
    return {
        pair: tuple(row[name] for name in (*WEIGHTS, "weight_millibits"))
        for pair, row in links.items()
        if of >= {*pair}
    }


def test_unrelated_people_change_no_score(settings: Settings, tmp_path: Path) -> None:
    first = crowd(150, 2)
    people = first + soiled(first, 3, "q")
    before, _ = matching_people.links(settings, MODEL, people, tmp_path)
    others = crowd(1000, 4, "r")
    for i, other in enumerate(others[:300]):  # these share blocking keys with people that were there
        other |= {name: people[i][name] for name in ("given_name", "birth_date", "postcode")}
    for i, other in enumerate(others[300:500]):
        other |= {name: people[i][name] for name in ("phone", "family_name")}
    after, _ = matching_people.links(settings, MODEL, people + others, tmp_path)
    ids = {person["party_id"] for person in people}
    assert len(before) >= 100 and len(after) > len(before)
    assert scores_of(after, ids) == scores_of(before, ids)


def test_a_crowded_key_is_not_used_and_counted(settings: Settings, tmp_path: Path) -> None:
    people = crowd(300, 5)
    blank = [person | {"birth_date": "1900-01-01", "phone": "+49 30 901820", "postcode": None} for person in people]
    _, scores = matching_people.links(settings, MODEL, blank, tmp_path)
    assert scores.unused_keys["phone"] == {"keys": 1, "records": 300}
    assert "birth_postcode" not in scores.unused_keys
    _, scores = matching_people.links(settings, MODEL, people, tmp_path)
    assert "phone" not in scores.unused_keys


def test_a_batch_of_blank_records_costs_little(settings: Settings, tmp_path: Path) -> None:
    """Twenty thousand of one birth date, phone and name would be two hundred million pairs."""
    import time

    blank = [
        {"party_id": f"p{i}", "given_name": "N", "family_name": "N", "birth_date": "1900-01-01", "phone": "+4930901820"}
        for i in range(20_000)
    ]
    started = time.monotonic()
    found, scores = matching_people.links(settings, MODEL, blank, tmp_path)
    assert found == {} and scores.records == 20_000
    assert scores.unused_keys["phone"]["records"] == 20_000
    assert time.monotonic() - started < 30


def test_no_records_and_one_record_are_no_links(settings: Settings, tmp_path: Path) -> None:
    for people in ([], [ADA | {"party_id": "a"}]):
        found, scores = matching_people.links(settings, MODEL, people, tmp_path)
        assert found == {} and scores.records == len(people)


def test_a_bank_may_have_a_model_of_its_own(tmp_path: Path) -> None:
    home = Settings(home=tmp_path)
    assert models.load(home).version == MODEL.version
    own = tmp_path / "config" / models.FILE
    own.parent.mkdir(parents=True)
    own.write_text(json.dumps(json.loads(MODEL.text) | {"threshold_millibits": 4321}))
    assert models.load(home).threshold_millibits == 4321
    assert models.load(home).version != MODEL.version
    own.write_text("{}")
    with pytest.raises(models.ModelError, match="is no matching model"):
        models.load(home)


def test_a_model_says_itself_again(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    path.write_text(MODEL.text)
    assert models.read(path) == MODEL and models.read(path).version == MODEL.version


def test_no_rare_name_is_in_the_shipped_model() -> None:
    for frequencies in MODEL.term_frequencies.values():
        least = frequencies.least_count / max(MODEL.trained.records, 1)
        assert frequencies.floor > 0
        assert all(share >= least * 0.99 for share in frequencies.values.values())


def test_splink_says_nothing(settings: Settings, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    matching_people.links(settings, MODEL, [ADA | {"party_id": "a"}, ADA | {"party_id": "b"}], tmp_path)
    told = capfd.readouterr()
    assert told.out + told.err == ""
