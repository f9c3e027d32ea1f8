"""Mappings: one row in, one row out, the contract's names; anything else is refused before a row is read."""

import duckdb
import pytest

from cx360 import contracts, mapping
from cx360.settings import PROJECT, Settings
from cx360.sources import load

CONTRACT = contracts.load()["account_parties"]
GOOD = "select acc as account_id, cli as party_id, 'owner' as role from raw"


def parse(sql: str) -> mapping.Mapping:
    with duckdb.connect() as db:
        return mapping.parse(db, sql, CONTRACT)


def test_a_mapping_knows_what_it_reads_and_gives_and_carries_the_record() -> None:
    parsed = parse(
        "select acc as account_id, upper(cli) as party_id, case t when 'O' then 'owner' end as role from raw"
    )
    assert parsed.inputs == ("acc", "cli", "t")
    assert parsed.outputs == ("account_id", "party_id", "role")
    with duckdb.connect() as db:
        db.execute("create table raw as select 7 as _record, 'a' as acc, 'c' as cli, 'O' as t")
        assert db.sql(parsed.sql).fetchall() == [(7, "a", "C", "owner")]


@pytest.mark.parametrize(
    ("sql", "complaint"),
    [
        (GOOD + " where acc <> ''", "without where"),
        (GOOD + " limit 5", "without where"),
        (GOOD + " order by acc", "without where"),
        (GOOD.replace("raw", "raw join raw as r using (acc)"), "from raw alone"),
        (GOOD.replace("from raw", "from other"), "from raw alone"),
        ("select distinct acc as account_id, cli as party_id, 'owner' as role from raw", "without where"),
        ("with r as (select * from raw) select acc as account_id from r", "one plain select"),
        (GOOD + "; " + GOOD, "one plain select"),
        ("select * from raw", r"instead of \*"),
        ("select acc as account_id, upper(cli), 'owner' as role from raw", "needs a name"),
        (GOOD.replace("role", "rolle"), "no column rolle"),
        ("select acc as account_id, cli as party_id from raw", "does not give role"),
        ("selec acc from raw", "not valid SQL"),
    ],
)
def test_what_is_no_mapping_is_refused_with_its_reason(sql: str, complaint: str) -> None:
    with pytest.raises(mapping.MappingError, match=complaint):
        parse(sql)


@pytest.mark.parametrize("source", ["sources/synthetic_bank", "sources/eagle_bank"])
def test_shipped_mappings_fit_their_contracts(source: str) -> None:
    (read,) = load(Settings(sources=str(PROJECT / source)))
    with duckdb.connect() as db:
        for spec in read.files:
            parsed = mapping.parse(db, read.mapping(spec).read_text(), contracts.load()[spec.feed])
            assert set(parsed.inputs) <= set(spec.columns or parsed.inputs)
