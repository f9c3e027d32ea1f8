"""Sources: which files are found, when they are complete, and what a wrong source.yaml says."""

import os
import time
from datetime import date
from pathlib import Path

import pytest

from cx360 import sources
from cx360.settings import PROJECT, Settings

GOOD = """
source: core
description: The core system.
bank: {timezone: Europe/Berlin, reporting_currency: EUR}
defaults: {delimiter: ";"}
files:
  - {feed: parties, pattern: "{delivery_day}/kunden*.csv"}
  - {feed: accounts, pattern: "{delivery_day}/konten.csv", control: "{name}.ctl"}
  - {feed: transactions, pattern: "{delivery_day}/umsatz.csv", min_age_seconds: 60}
ignored: {"readme.txt": "a note"}
"""


@pytest.fixture
def bank(tmp_path: Path) -> Settings:
    folder = tmp_path / "core"
    folder.mkdir()
    (folder / "source.yaml").write_text(GOOD)
    (tmp_path / "inbox").mkdir()
    return Settings(home=tmp_path, inbox=tmp_path / "inbox", sources=str(folder))


def put(bank: Settings, name: str, age: float = 0) -> None:
    path = bank.inbox_folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x")
    os.utime(path, (time.time() - age,) * 2)


def found(bank: Settings, **which: object) -> list[str]:
    return [f.name for f in sources.discover(bank, **which)]  # type: ignore[arg-type]


def test_files_are_found_by_day_and_name(bank: Settings) -> None:
    put(bank, "2026-03-02/kunden.csv")
    put(bank, "2026-03-01/kunden_b.csv")
    put(bank, "2026-03-01/kunden_a.csv")
    assert found(bank, feed="parties") == [
        "2026-03-01/kunden_a.csv",
        "2026-03-01/kunden_b.csv",
        "2026-03-02/kunden.csv",
    ]
    assert found(bank, until=date(2026, 3, 1)) == ["2026-03-01/kunden_a.csv", "2026-03-01/kunden_b.csv"]
    assert sources.delivery_days(bank) == [date(2026, 3, 1), date(2026, 3, 2)]


@pytest.mark.parametrize("ending", [".tmp", ".part", ".filepart"])
def test_a_file_still_being_written_is_not_there_yet(bank: Settings, ending: str) -> None:
    put(bank, f"2026-03-01/kunden.csv{ending}")
    assert found(bank) == []


def test_a_file_with_a_control_file_is_complete_when_that_has_come(bank: Settings) -> None:
    put(bank, "2026-03-01/konten.csv")
    assert found(bank) == []
    (bank.inbox_folder / "2026-03-01/konten.csv.ctl").write_text('{"rows": 3}')
    (file,) = sources.discover(bank)
    assert file.expected == {"rows": 3}


@pytest.mark.parametrize("said", ["rows: 3", '{"rows": "many"}', '{"rows": -1}', '{"amount": "much"}', "[]", "\xff"])
def test_a_control_file_that_says_no_totals_is_told_without_what_it_says(bank: Settings, said: str) -> None:
    put(bank, "2026-03-01/konten.csv")
    (bank.inbox_folder / "2026-03-01/konten.csv.ctl").write_text(said, encoding="latin-1")
    (file,) = sources.discover(bank)
    with pytest.raises(sources.SourceError, match=r"konten\.csv\.ctl is no JSON with rows") as error:
        _ = file.expected
    assert "many" not in str(error.value)


def test_a_folder_that_is_no_day_is_nobodys_and_stops_nothing(bank: Settings) -> None:
    put(bank, "2026-02-30/kunden.csv")
    put(bank, "2026-03-01/kunden.csv")
    assert found(bank) == ["2026-03-01/kunden.csv"]
    assert sources.unclaimed(bank) == ["2026-02-30/kunden.csv"]


def test_a_file_is_complete_when_nobody_wrote_to_it_for_a_while(bank: Settings) -> None:
    put(bank, "2026-03-01/umsatz.csv", age=30)
    assert found(bank) == []
    put(bank, "2026-03-01/umsatz.csv", age=61)
    assert found(bank) == ["2026-03-01/umsatz.csv"]


def test_a_file_nobody_claims_is_told(bank: Settings) -> None:
    put(bank, "2026-03-01/kunden.csv")
    put(bank, "2026-03-01/surprise.csv")
    put(bank, "2026-03-01/readme.txt")
    assert sources.unclaimed(bank) == ["2026-03-01/surprise.csv"]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("parties,", "people,"), "feed 'people' has no contract"),
        (("{delivery_day}/kunden", "kunden"), "needs {delivery_day}"),
        (("delimiter", "delimeter"), "defaults.delimeter: Extra inputs are not permitted"),
        (("min_age_seconds: 60", "colour: red"), "files.transactions.colour: Extra inputs"),
        (("Europe/Berlin", "Europe/Berln"), "bank.timezone: Value error, 'Europe/Berln' is no time zone"),
        (('delimiter: ";"', "encoding: utf-9"), "'utf-9' is no encoding"),
        (("files:", "files: ["), "line [0-9]+ is no YAML"),
        ((GOOD, ""), "says nothing"),
    ],
)
def test_a_wrong_source_yaml_says_what_is_wrong(bank: Settings, change: tuple[str, str], complaint: str) -> None:
    path = bank.source_folders[0] / "source.yaml"
    path.write_text(GOOD.replace(*change))
    with pytest.raises(sources.SourceError, match=complaint.replace("{", r"\{").replace("}", r"\}")):
        sources.load(bank)


def test_the_mapping_hash_follows_what_decides_the_rows_and_nothing_else(bank: Settings) -> None:
    put(bank, "2026-03-01/kunden.csv")
    folder = bank.source_folders[0]
    (folder / "parties.sql").write_text("select 1 from raw")

    def now() -> str:
        return sources.discover(bank)[0].mapping_hash("key")

    first = now()
    (folder / "source.yaml").write_text(GOOD.replace("kunden*", "kund*"))
    assert now() == first
    (folder / "source.yaml").write_text(GOOD.replace('";"', '","'))
    assert now() != first
    (folder / "source.yaml").write_text(GOOD)
    (folder / "parties.sql").write_text("select 2 from raw")
    assert now() != first


def test_settings_win_over_what_the_source_says_of_the_bank(bank: Settings) -> None:
    assert sources.bank(bank).timezone == "Europe/Berlin"
    assert sources.bank(bank.model_copy(update={"timezone": "Asia/Shanghai"})).timezone == "Asia/Shanghai"


def test_every_key_of_source_yaml_is_documented() -> None:
    page = (PROJECT / "docs" / "sources.md").read_text()
    keys = {*sources.Source.model_fields, *sources.FileSpec.model_fields, *sources.Bank.model_fields} - {"folders"}
    assert {key for key in keys if f"`{key}`" not in page} == set()


def test_the_banks_own_folder_goes_over_a_shipped_one_file_by_file(tmp_path: Path) -> None:
    shipped = PROJECT / "sources" / "synthetic_bank"
    own = tmp_path / "config" / "sources" / "synthetic_bank"
    own.mkdir(parents=True)
    (own / "fx_rates.sql").write_text("select 1 as rate from raw")
    bank = Settings(home=tmp_path, sources="sources/synthetic_bank")
    (source,) = sources.load(bank)
    mappings = {spec.feed: source.mapping(spec) for spec in source.files}
    assert source.source == "synthetic_bank"
    assert mappings.pop("fx_rates") == own / "fx_rates.sql"
    assert set(mappings.values()) == {shipped / f"{feed}.sql" for feed in mappings}
    (own / "source.yaml").write_text((shipped / "source.yaml").read_text().replace("synthetic_bank", "ours", 1))
    assert [source.source for source in sources.load(bank)] == ["ours"]


def test_a_folder_of_the_bank_alone_needs_all_its_files(bank: Settings) -> None:
    put(bank, "2026-03-01/kunden.csv")
    (file,) = sources.discover(bank, feed="parties")
    with pytest.raises(sources.SourceError, match=r"feed parties needs parties.sql beside source.yaml"):
        _ = file.mapping_sql
