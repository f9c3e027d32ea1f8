"""Febrl's three files, fed as party files through a source mapping: matching beside a bare Splink model.

Their truth is in ``rec_id``; nobody saw a document or a birth date. The yardstick is a Splink 5 model of the same
fields as they are in the file, trained on it without labels, as Splink's own guides make one.
"""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from pathlib import Path

import duckdb
import numpy as np
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from cx360 import engines, matching, pipeline
from cx360.matching import scoring, training
from cx360.settings import Settings

pytestmark = [pytest.mark.real_data, pytest.mark.slow]

Pairs = set[tuple[str, str]]

DAY = date(2026, 3, 1)
SOURCE = """
source: febrl
description: Febrl's files as the party file of a bank.
bank: {timezone: UTC, reporting_currency: AUD}
delivery_day: 2026-03-01
files:
  - {feed: parties, pattern: "*.csv", format: csv}
"""
MAPPING = """
select
    trim(rec_id) as party_id,
    'person' as party_type,
    nullif(concat_ws(' ', nullif(trim(given_name), ''), nullif(trim(surname), '')), '') as full_name,
    nullif(trim(given_name), '') as given_name,
    nullif(trim(surname), '') as family_name,
    try_strptime(trim(date_of_birth), '%Y%m%d')::date::varchar as birth_date,
    nullif(trim(soc_sec_id), '') as document_number,
    nullif(
        concat_ws(' ', nullif(trim(street_number), ''), nullif(trim(address_1), ''), nullif(trim(address_2), '')), ''
    ) as address,
    nullif(trim(postcode), '') as postcode,
    nullif(trim(suburb), '') as city,
    nullif(trim(state), '') as region,
    'active' as status
from raw
"""


@dataclass(frozen=True)
class Quality:
    """Of pairs after closure: how many there are, found and missed, and the harmonic mean of precision and recall."""

    true: int
    wrong: int
    missed: int

    @property
    def f1(self) -> float:
        right = self.true - self.missed
        return 2 * right / (2 * right + self.wrong + self.missed)


def quality(ids: list[str], links: Iterable[tuple[str, str]]) -> Quality:
    """Of links between ids such as ``rec-1-org``, whose number is the person."""
    persons: dict[str, list[str]] = {}
    for i in ids:
        persons.setdefault(i.split("-")[1], []).append(i)
    truth = {pair for group in persons.values() for pair in combinations(sorted(group), 2)}
    found = closure(ids, links)
    return Quality(len(truth), len(found - truth), len(truth - found))


def closure(ids: list[str], links: Iterable[tuple[str, str]]) -> Pairs:
    """All pairs within the connected components of the links."""
    place = {name: number for number, name in enumerate(ids)}
    edges = np.array([(place[a], place[b]) for a, b in links], dtype=int).reshape(-1, 2)
    graph = coo_array((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), shape=(len(ids), len(ids)))
    groups: dict[int, list[str]] = {}
    for name, label in zip(ids, connected_components(graph, directed=False)[1], strict=True):
        groups.setdefault(label, []).append(name)
    return {pair for group in groups.values() for pair in combinations(sorted(group), 2)}


def bare_splink(path: Path) -> Quality:
    """What Splink alone makes of the file."""
    import splink.comparison_library as cl
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    settings = SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="rec_id",
        blocking_rules_to_generate_predictions=[
            block_on("soc_sec_id"),
            block_on("given_name", "surname"),
            block_on("given_name", "date_of_birth"),
            block_on("surname", "date_of_birth"),
            block_on("date_of_birth", "postcode"),
            block_on("given_name", "postcode"),
            block_on("surname", "postcode"),
            block_on("address_1", "postcode"),
            block_on("address_1", "suburb"),
        ],
        comparisons=[
            cl.NameComparison("given_name"),
            cl.NameComparison("surname"),
            cl.LevenshteinAtThresholds("date_of_birth", [1, 2]),
            cl.LevenshteinAtThresholds("soc_sec_id", [1, 2]),
            cl.ExactMatch("street_number"),
            cl.JaroWinklerAtThresholds("address_1", [0.9]),
            cl.LevenshteinAtThresholds("postcode", [1, 2]),
            cl.JaroWinklerAtThresholds("suburb", [0.9]),
        ],
    )
    with duckdb.connect() as db, scoring.quiet():
        read = f"read_csv('{path}', all_varchar = true, normalize_names = true)"
        names = [name for name, *_ in db.sql(f"describe from {read}").fetchall()]
        fields = ", ".join(f"nullif(trim({name}), '') as {name}" for name in names)
        db.execute(f"create table records as select {fields} from {read}")
        linker = Linker(DuckDBAPI(db).register("records"), settings, log_level=None)
        sure = [block_on("soc_sec_id"), block_on("given_name", "surname", "date_of_birth")]
        linker.training.estimate_probability_two_random_records_match(sure, recall=0.9)
        linker.training.estimate_u_using_random_sampling(max_pairs=5e6, seed=1)
        for block in ("date_of_birth", "surname"):
            linker.training.estimate_parameters_using_expectation_maximisation(block_on(block))
        found = linker.inference.predict(threshold_match_probability=0.5)
        links = db.sql(f"select rec_id_l, rec_id_r from {found.physical_name}").fetchall()
        ids = [row[0] for row in db.sql("select rec_id from records").fetchall()]
    return quality(ids, links)


def ours(home: Settings) -> Quality:
    """What the model in force makes of the home's records."""
    pipeline.resolve_identity(home, pipeline.Run("febrl", as_of=DAY))
    with engines.open_warehouse(home, read_only=True) as db:
        ids = db.query("select party_id from identity.int_identity__records")["party_id"].to_pylist()
        links = db.query(f"select party_id_a, party_id_b from {matching.TABLE} where outcome = 'match'").to_pylist()
    return quality(ids, [(link["party_id_a"], link["party_id_b"]) for link in links])


@pytest.mark.parametrize("number", [1, 2, 3])
def test_febrl_is_matched_as_well_as_by_splink_alone(
    new_home: Callable[[str], Settings], record_property: Callable[[str, object], None], number: int
) -> None:
    file = Path(os.environ["CX360_REAL_DATA"]) / "febrl" / f"dataset{number}.csv"
    home = land(new_home(f"febrl{number}"), file)
    bare, shipped = bare_splink(file), ours(home)
    training.train(home)
    trained = ours(home)
    record_property("f1", {"bare": bare.f1, "shipped": shipped.f1, "trained": trained.f1})
    assert bare.true == {1: 500, 2: 1934, 3: 6538}[number]
    assert shipped.f1 >= bare.f1 - 0.002, (shipped, bare)
    assert trained.f1 >= bare.f1 - 0.002, (trained, bare)


def land(home: Settings, file: Path) -> Settings:
    """The file as a bank's party file, its records in the warehouse."""
    folder, inbox = home.home / "febrl", home.home / "inbox"
    folder.mkdir()
    inbox.mkdir()
    (folder / "source.yaml").write_text(SOURCE)
    (folder / "parties.sql").write_text(MAPPING)
    (inbox / file.name).symlink_to(file)
    home = home.model_copy(update={"sources": str(folder), "inbox": inbox})
    run = pipeline.Run("febrl", as_of=DAY)
    pipeline.land(home, run, "parties")
    pipeline.check(home, run)
    pipeline.open_warehouse(home, run)
    pipeline.build_evidence(home, run)
    return home
