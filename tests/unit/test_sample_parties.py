"""The synthetic bank's party records: as hard to match as a bank's masters are, and the truth to measure it by."""

import csv
import gzip
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import binom

from cx360.sample import generate, names
from cx360.sample.bank import parameters

CUSTOMERS, MORE_PAIRS = 6000, {"people": {"duplicate_record": 0.2}}
RATES = parameters()["people"]

# Records as versions, with what a matcher compares: identifiers normalised, names in folded words.
VERSIONS = r"""
    create table versions as
    select
        KUNDEN_NR as party_id,
        person_id,
        is_further_record as is_further,
        nullif(regexp_replace(upper(AUSWEIS_NR), '[^A-Z0-9]', '', 'g'), '') as document,
        strptime(AUSWEIS_GUELTIG_BIS, '%d.%m.%Y')::date as valid_until,
        AUSWEIS_GEPRUEFT = 'J' as is_document_verified,
        GEBURT_GEPRUEFT = 'J' as is_birth_date_verified,
        case when TELEFON not in ('unbekannt', '0000', 'k.A.') then
            '+49' || regexp_replace(regexp_replace(TELEFON, '[^0-9]', '', 'g'), '^(0049|49|0)', '')
        end as phone,
        lower(EMAIL) as email,
        strptime(GEBURTSDATUM, '%d.%m.%Y')::date as born,
        VORNAME as given,
        NACHNAME as family,
        string_split(folded_given || ' ' || folded_family, ' ') as words,
        left(regexp_replace(lower(strip_accents(STRASSE)), '(strasse|str\.|straße).*| [0-9]+$', ''), 6) as street,
        STRASSE as street_text,
        PLZ as postcode,
        GEAENDERT_AM as changed_at
    from raw inner join party_persons on KUNDEN_NR = party_id
    where PERSONENART = 'N'
"""

# All pairs of records of one person; an identifier is shared when any version of both has it.
PAIRS = """
    create table pairs as
    select
        a.party_id as a,
        b.party_id as b,
        bool_or(coalesce(a.document = b.document, false)) as shares_document,
        bool_or(coalesce(a.phone = b.phone, false)) as shares_phone,
        bool_or(coalesce(a.email = b.email, false)) as shares_email,
        bool_or(exists (
            select 1 from unnest(a.words) as x (x), unnest(b.words) as y (y)
            where jaro_winkler_similarity(x, y) >= 0.88
        )) as names_agree,
        bool_or(coalesce(
            hamming(strftime(a.born, '%d%m%Y'), strftime(b.born, '%d%m%Y')) <= 1
            or strftime(a.born, '%d%m%Y') = strftime(b.born, '%m%d%Y'), false
        )) as births_agree,
        bool_or(a.postcode = b.postcode and a.street = b.street) as addresses_agree
    from versions as a inner join versions as b
    on a.person_id = b.person_id and a.party_id < b.party_id
    group by all
"""


def rows(inbox: Path) -> Iterator[dict[str, str | None]]:
    """Good rows of the feed: those with as many fields as the header and a key of the bank's own."""
    for path in sorted(inbox.glob("*/parties_*.csv.gz")):
        header, *lines = gzip.decompress(path.read_bytes()).decode("utf-8-sig").splitlines()
        columns = header.split(",")
        for line in lines:
            fields = next(csv.reader([line]))
            if len(fields) == len(columns) and re.fullmatch(r"(K|CS)\d+", fields[0]):
                yield {k: v or None for k, v in zip(columns, fields, strict=True)}


def database(folder: Path) -> duckdb.DuckDBPyConnection:
    """Tables raw, party_persons, persons, lookalikes, versions and pairs of a bank."""
    db = duckdb.connect()
    raw = pa.Table.from_pylist(list(rows(folder / "inbox")))
    for column in ("VORNAME", "NACHNAME"):
        text = names.pinyin(raw[column].combine_chunks())
        plain = names.plain(text, np.ones(len(text), bool))
        raw = raw.append_column(
            "folded_" + {"VORNAME": "given", "NACHNAME": "family"}[column],
            pa.array([re.sub("[^a-z ]", "", t.lower().replace("-", " ")) if t else "" for t in plain.to_pylist()]),
        )
    db.register("raw", raw)
    for name in ("party_persons", "persons", "lookalikes"):
        db.execute(f"create table {name} as from '{folder / 'truth' / name}.parquet'")
    db.execute(VERSIONS)
    db.execute(PAIRS)
    return db


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("parties")
    generate(CUSTOMERS, 60, 3, folder, feeds=["parties"], settings=MORE_PAIRS)
    return folder


@pytest.fixture(scope="module")
def bank(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with database(folder) as db:
        yield db


def one(db: duckdb.DuckDBPyConnection, sql: str) -> Any:
    return db.execute(sql).fetchone()[0]


def assert_share(count: int, total: int, share: float) -> None:
    """Within the bounds that hold in 99.9 % of banks."""
    low, high = binom.interval(0.999, total, share)
    assert low <= count <= high, f"{count} of {total} is not {share}"


def test_three_in_ten_pairs_share_no_identifier_and_nearly_all_can_still_be_told(bank: Any) -> None:
    pairs, apart, hopeless = bank.execute("""
        with told as (
            select *, shares_document or shares_phone or shares_email as is_shared from pairs
        )
        select
            count(*),
            count_if(not is_shared),
            count_if(not is_shared and names_agree::int + births_agree::int + addresses_agree::int < 2)
        from told
    """).fetchone()
    assert pairs > 1000
    assert 0.3 <= apart / pairs <= 0.45
    assert hopeless / pairs < 0.01


UNCONDITIONAL = (
    "family_typo given_typo initial capitals swapped_names birth_missing birth_digit street_spelling no_house_number"
    " old_address contactless"
).split()


@pytest.mark.parametrize("kind", UNCONDITIONAL)
def test_further_records_are_as_dirty_as_the_parameters_say(bank: Any, kind: str) -> None:
    found = one(bank, f"select count_if(list_contains(string_split(dirt, ' '), '{kind}')) from party_persons")
    further = one(bank, "select count_if(is_further_record) from party_persons")
    assert_share(found, further, RATES["further_records"][kind])


def test_first_records_have_none_of_that_dirt(bank: Any) -> None:
    assert one(bank, "select count(*) from party_persons where not is_further_record and dirt <> ''") == 0


def test_every_kind_of_dirt_occurs(bank: Any) -> None:
    kinds = bank.execute("select distinct unnest(string_split(dirt, ' ')) from party_persons where dirt <> ''")
    assert {k for (k,) in kinds.fetchall()} == set(RATES["further_records"])


def test_a_chinese_name_is_in_characters_in_one_record_and_in_pinyin_in_another(bank: Any) -> None:
    both = """
        select count(*) from versions as a inner join versions as b on a.person_id = b.person_id
        where regexp_matches(a.family, '\\p{Han}') and regexp_matches(b.family, '^[A-Za-z]+$')
    """
    assert one(bank, both) > 0


def test_relatives_share_a_phone_or_mailbox_and_the_surname(bank: Any, folder: Path) -> None:
    sharing = one(
        bank,
        """
        with records as (from versions inner join persons using (person_id) where not is_further)
        select count(distinct a.person_id) from records as a inner join records as b
        on a.household_id = b.household_id and a.person_id <> b.person_id and a.family = b.family
        where a.phone = b.phone or a.email = b.email
    """,
    )
    assert_share(sharing, CUSTOMERS, RATES["shares_contact"])
    told = json.loads((folder / "truth/facts.json").read_text())
    assert abs(told["people_who_share_a_contact"] - sharing) <= 0.002 * CUSTOMERS
    relations = "select distinct relation from lookalikes where kind = 'shares_contact' order by all"
    assert bank.execute(relations).fetchall() == [("parent_child",), ("sibling",), ("spouse",)]


def test_twins_and_namesakes_are_two_people_that_look_like_one(bank: Any) -> None:
    bank.execute("""
        create or replace table alike as
        select l.kind, a.person_id as person_a, b.person_id as person_b, a.given = b.given as same_name,
            a.born = b.born as same_birth, a.born is null or b.born is null as birth_missing,
            a.family = b.family and a.street_text = b.street_text and a.postcode = b.postcode as same_home
        from lookalikes as l
        inner join versions as a on a.person_id = l.person_id_a and not a.is_further
        inner join versions as b on b.person_id = l.person_id_b and not b.is_further
        where l.kind <> 'shares_contact'
    """)
    assert one(bank, "select bool_and(same_home) from alike")
    assert one(bank, "select bool_and(same_birth and not same_name) from alike where kind = 'twin'")
    assert not one(bank, "select bool_or(same_birth and same_name) from alike where kind <> 'twin'")
    assert one(bank, "select avg(birth_missing::int) from alike where kind = 'same_name_relative'") < 0.4
    people = one(bank, "select count(*) from (select person_a from alike union select person_b from alike)")
    assert_share(people, CUSTOMERS, 0.005)


def test_no_verified_document_is_anybody_elses(bank: Any) -> None:
    shared = "select document from versions where is_document_verified group by 1 having count(distinct person_id) > 1"
    assert bank.execute(shared).fetchall() == []


def test_no_person_has_two_verified_documents_valid_at_once(bank: Any) -> None:
    at_once = """
        select count(*) from versions as a inner join versions as b on a.person_id = b.person_id
        where a.document <> b.document and a.is_document_verified and b.is_document_verified
            and a.changed_at::date <= b.valid_until and b.changed_at::date <= a.valid_until
    """
    assert one(bank, at_once) == 0
    one_after_the_other = """
        select count(distinct a.person_id) from versions as a inner join versions as b on a.person_id = b.person_id
        where a.document <> b.document and a.is_document_verified and b.is_document_verified
            and a.party_id <> b.party_id
    """
    assert one(bank, one_after_the_other) > 0


def test_one_document_in_twenty_has_run_out_or_is_renewed(bank: Any) -> None:
    documents, ended, renewed = bank.execute("""
        with records as (
            select min(valid_until) as valid_until, count(distinct document) as documents
            from versions where not is_further and document is not null group by party_id
        )
        select count(*), count_if(valid_until <= '2026-04-02' or documents > 1), count_if(documents > 1) from records
    """).fetchone()
    assert_share(ended, documents, RATES["ended_document"])
    assert 0 < renewed < ended


def test_a_verified_birth_date_is_right(bank: Any) -> None:
    verified, wrong = bank.execute("""
        select count(*), count_if(born <> birth_date::date) from versions inner join persons using (person_id)
        where is_birth_date_verified
    """).fetchone()
    assert verified > CUSTOMERS / 2
    assert wrong == 0


def test_one_mobile_in_a_hundred_changes_hands(bank: Any, folder: Path) -> None:
    moved = json.loads((folder / "truth/facts.json").read_text())["recycled_numbers"]
    mobiles = one(bank, "select count(distinct phone) from versions where phone like '+491760%'")
    assert_share(len(moved), mobiles, RATES["recycled_number"])
    assert all(number["on"] < number["from"] for number in moved)


def test_true_pairs_are_counted_in_the_facts(bank: Any, folder: Path) -> None:
    told = json.loads((folder / "truth/facts.json").read_text())
    assert told["true_pairs"] == one(bank, "select count(*) from pairs")
    assert told["further_records"] == one(bank, "select count_if(is_further_record) from party_persons")
    kinds = dict(bank.execute("select kind, count(*) from lookalikes group by kind").fetchall())
    assert told["lookalikes"] == kinds


def hashes(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_feed_alone_has_the_bytes_it_has_among_all(tmp_path: Path) -> None:
    generate(150, 40, 5, tmp_path / "all")
    generate(150, 40, 5, tmp_path / "some", feeds=["parties", "complaints"])
    generate(150, 40, 5, tmp_path / "again", feeds=["parties", "complaints"])
    whole, some = hashes(tmp_path / "all/inbox"), hashes(tmp_path / "some/inbox")
    assert some == {name: h for name, h in whole.items() if re.search("/(parties|complaints)_", name)}
    assert hashes(tmp_path / "some") == hashes(tmp_path / "again")
    assert not (tmp_path / "some/truth/identifiers.parquet").exists()


def test_dirt_is_scaled_and_nothing_else(tmp_path: Path) -> None:
    counts, first = {}, {}
    for dirt in (0.0, 0.5, 1.0, 2.0):
        generate(2000, 40, 5, tmp_path / f"{dirt}", feeds=["parties"], dirt=dirt, settings=MORE_PAIRS)
        with database(tmp_path / f"{dirt}") as db:
            counts[dirt] = one(db, "select count_if(dirt like '%old_address%') from party_persons")
            first[dirt] = one(db, "select count_if(not is_further_record and dirt <> '') from party_persons")
            further = one(db, "select count_if(is_further_record) from party_persons")
    assert counts[0.0] == 0
    for dirt in (0.5, 1.0, 2.0):
        assert_share(counts[dirt], further, dirt * RATES["further_records"]["old_address"])
    assert not any(first.values())


@pytest.mark.parametrize(
    "argument",
    [{"feeds": ["partys"]}, {"dirt": -1}, {"settings": {"people": {"dublicate_record": 0.2}}}],
)
def test_what_is_not_known_is_refused(tmp_path: Path, argument: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be"):
        generate(10, 7, 1, tmp_path, **argument)
