"""What dbt knows of the lake is what the contracts say."""

import pytest

from cx360 import contracts, dbt_sources


@pytest.mark.parametrize("name", ["_sources.yml", "_columns.md"])
def test_the_committed_file_is_what_the_contracts_render_to(name: str) -> None:
    rendered = dbt_sources.files(contracts.load())[dbt_sources.FOLDER / name]
    committed = (dbt_sources.FOLDER / name).read_text(encoding="utf-8")
    assert committed == rendered, f"{name} is out of date: run `python -m cx360.dbt_sources`"


def test_every_lake_column_has_its_text_and_no_restricted_value_is_a_column() -> None:
    feeds = contracts.load()
    texts = dbt_sources.render_columns(feeds)
    sources = dbt_sources.render(feeds)
    for contract in feeds.values():
        for name, _, description in contract.lake_columns:
            assert f"{{% docs {contract.feed}__{name} %}}\n{description}\n" in texts
        for column in (c for c in contract.columns if c.is_restricted):
            assert f"{contract.feed}__{column.name} %}}" not in texts
            assert f"doc(''{contract.feed}__{column.name}'')" not in sources
