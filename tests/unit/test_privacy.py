"""Tokens: one definition, in Python and in SQL, and what counts as the same value."""

import hashlib
import hmac
from pathlib import Path

import duckdb
import pytest

from cx360 import privacy
from cx360.settings import Settings


@pytest.fixture
def bank(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, token_key="a key of the test")


def tokens(bank: Settings, semantic_type: str, *values: str, region: str = "DE") -> dict[str, str]:
    with duckdb.connect() as db:
        privacy.install(db, bank)
        db.execute("create table given as select unnest($1::varchar[]) as v", [list(values)])
        privacy.tokenise(db, "select distinct v from given", "made", semantic_type, region)
        return dict(db.sql("select value, token from made").fetchall())


def test_a_token_is_hmac_sha256_as_the_standard_library_computes_it(bank: Settings) -> None:
    expected = hmac.new(b"a key of the test", b"email:ada@example.org", hashlib.sha256).hexdigest()[:32]
    made = tokens(bank, "email", "Ada@Example.ORG")["Ada@Example.ORG"]
    assert made == f"{privacy.key_id(bank)}:email:{expected}"
    assert made == privacy.token(bank, "email", "ada@example.org")


def test_a_key_longer_than_a_block_is_hashed_first(tmp_path: Path) -> None:
    bank = Settings(home=tmp_path, token_key="k" * 100)
    assert tokens(bank, "device", "d1")["d1"] == privacy.token(bank, "device", "d1")


@pytest.mark.parametrize(
    ("semantic_type", "same"),
    [
        ("phone", ["030 901820", "+49 30 901820", "0049 (30) 90-18-20"]),
        ("contact", ["ada@example.org", "ADA@example.org"]),
        ("name", ["Müller, Jörg", "jorg  MULLER", "Jörg Müller"]),
        ("document", ["L01X 00T47", "l01x-00t47"]),
        ("address", ["Unter den Linden 1, 10117 Berlin", "unter den linden 1 10117 berlin"]),
    ],
)
def test_spellings_of_one_value_have_one_token(bank: Settings, semantic_type: str, same: list[str]) -> None:
    assert len(set(tokens(bank, semantic_type, *same).values())) == 1


def test_the_region_reads_a_national_number(bank: Settings) -> None:
    here, there = tokens(bank, "phone", "030 901820"), tokens(bank, "phone", "030 901820", region="FR")
    assert here != there


def test_a_contact_is_the_same_evidence_as_the_phone_or_email_it_is(bank: Settings) -> None:
    contact = tokens(bank, "contact", "+49 30 901820", "ada@example.org")
    assert contact["+49 30 901820"] == tokens(bank, "phone", "030 901820")["030 901820"]
    assert contact["ada@example.org"] == tokens(bank, "email", "ada@example.org")["ada@example.org"]


def test_an_extension_is_part_of_a_number(bank: Settings) -> None:
    made = tokens(bank, "phone", "030 901820", "030 901820 ext. 12", "+49 30 901820;ext=12", "030 901820 ext. 13")
    assert made["030 901820 ext. 12"] == made["+49 30 901820;ext=12"]
    assert len(set(made.values())) == 3


def test_letters_of_a_document_are_kept_in_every_script(bank: Settings) -> None:
    made = tokens(bank, "document", "АВ123456", "AB123456", "123456", "ÖA-1234", "A1234", "öa 1234", "O\u0308A1234")
    assert made["ÖA-1234"] == made["öa 1234"] == made["O\u0308A1234"]
    assert len(set(made.values())) == 5
    assert not any("?" in token for token in made.values())


@pytest.mark.parametrize(
    ("semantic_type", "value"),
    [
        *[("phone", "unknown"), ("phone", "1"), ("email", "none")],
        *[("document", "000000"), ("document", "1111-1111"), ("document", "n/a"), ("document", "A-1")],
    ],
)
def test_what_cannot_be_normalised_is_marked_as_no_evidence(bank: Settings, semantic_type: str, value: str) -> None:
    assert f":{semantic_type}?:" in tokens(bank, semantic_type, value)[value]


def test_names_in_chinese_keep_their_characters(bank: Settings) -> None:
    made = tokens(bank, "name", "王小明", "李小明")
    assert made["王小明"] != made["李小明"]
    assert not any("?" in token for token in made.values())


def test_another_key_makes_other_tokens_under_another_name(bank: Settings, tmp_path: Path) -> None:
    other = Settings(home=tmp_path, token_key="another key")
    mine, theirs = privacy.token(bank, "email", "a@b.c"), privacy.token(other, "email", "a@b.c")
    assert mine.split(":")[0] != theirs.split(":")[0]
    assert mine.split(":")[2] != theirs.split(":")[2]


def test_a_key_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    first, second = Settings(home=tmp_path), Settings(home=tmp_path)
    assert first.secret("token") == second.secret("token")
    assert (tmp_path / "keys" / "token").stat().st_mode & 0o077 == 0


def test_a_shape_shows_nothing_of_the_value() -> None:
    assert privacy.shape("Ada L. 30-06") == "aaa a. 99-99"
    assert privacy.shape("O\u0308 สมิ ٣") == "aa aaa 9", "also no marks above letters, no digits of other scripts"
    assert len(privacy.shape("x" * 500)) == 41
