"""Contracts: what is read from them, and what a contract may not be."""

from pathlib import Path

import pytest

from cx360 import contracts

SHIPPED = contracts.load()


def test_every_feed_has_a_contract_that_names_its_owner_and_grain() -> None:
    assert tuple(SHIPPED) == contracts.FEEDS
    for contract in SHIPPED.values():
        assert contract.owner != "nobody"
        assert contract.grain.startswith("one row per")
        assert contract.delivery in ("events", "changes", "snapshot")


def test_the_lake_carries_tokens_instead_of_personal_values() -> None:
    names = [name for name, _, _ in SHIPPED["parties"].lake_columns]
    assert {"phone_token", "email_token", "name_token", "birth_date_token", "document_token"} <= set(names)
    assert not {"phone", "email", "full_name", "birth_date", "document_number", "address"} & set(names)
    assert "notes" not in [name for name, _, _ in SHIPPED["call_logs"].lake_columns]


def test_no_restricted_column_reaches_the_lake_of_any_feed() -> None:
    for contract in SHIPPED.values():
        restricted = {c.name for c in contract.columns if c.is_restricted}
        assert not restricted & {name for name, _, _ in contract.lake_columns}


def test_columns_a_contract_speaks_of_exist_in_it() -> None:
    for contract in SHIPPED.values():
        names = {c.name for c in contract.columns}
        spoken = {contract.version_column, contract.event_time, *contract.derived_key, *(contract.money or {}).values()}
        assert spoken - {None} <= names, contract.feed


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("classification: internal", "classification: secret"), "classification must be"),
        (("logicalType: string\n        primaryKey: true", "logicalType: string"), "no property is a primaryKey"),
        (("logicalType: date", "logicalType: number"), "needs a physicalType"),
        (("        semanticType: phone\n", ""), "encryptedName needs a semanticType"),
    ],
)
def test_a_contract_that_cannot_be_used_says_why(tmp_path: Path, change: tuple[str, str], complaint: str) -> None:
    text = (contracts.PROJECT / "contracts" / "parties.odcs.yaml").read_text()
    assert change[0] in text
    path = tmp_path / "parties.odcs.yaml"
    path.write_text(text.replace(*change))
    with pytest.raises(contracts.ContractError, match=complaint):
        contracts.read(path)
