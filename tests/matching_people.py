"""Party records for tests of matching: from plain values to the tokens and files that landing would make.

Here belongs what stands in for landing and dbt. Scenarios belong in the tests.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from cx360 import matching, privacy
from cx360.matching import features
from cx360.matching.model import Model
from cx360.settings import Settings

TYPES = {name: "name" if name.endswith("name") else name for name in features.TOKENS}
Links = dict[tuple[str, str], dict[str, Any]]


def land(settings: Settings, people: Iterable[Mapping[str, Any]], file: Path) -> pa.Table:
    """Records as ``int_identity__match_records`` has them; their values go into ``file``.

    Args:
        settings: whose key the tokens are made with.
        people: party_id and any of ``TYPES``, city, gender, is_document_verified.
        file: of the restricted part of the lake.
    """
    columns = ["party_id", *TYPES, "city", "gender"]
    rows = [{name: person.get(name) for name in columns} for person in people]
    verified = [bool(person.get("is_document_verified", False)) for person in people]
    given = pa.Table.from_pylist(rows, pa.schema([(name, pa.string()) for name in columns]))
    given = given.append_column("is_document_verified", pa.array(verified, pa.bool_()))
    with duckdb.connect() as db:
        privacy.install(db, settings)
        db.register("given", given)
        for name, kind in TYPES.items():
            values = f"select distinct trim({name}) as v from given where {name} is not null"
            privacy.tokenise(db, values, f"tokens_{name}", kind, "DE")
        every = " union ".join(f"select semantic_type, token, value from tokens_{name}" for name in TYPES)
        db.execute(f"copy ({every}) to '{file}' (format parquet)")
        tokens = ", ".join(
            f"case when {name}.token not like '%?%' then {name}.token end as {name}_token" for name in TYPES
        )
        joins = " ".join(f"left join tokens_{name} as {name} on {name}.value = trim(given.{name})" for name in TYPES)
        return db.sql(
            f"select party_id, {tokens}, is_document_verified, city, gender from given {joins} order by party_id"
        ).to_arrow_table()


def links(
    settings: Settings, model: Model, people: Iterable[Mapping[str, Any]], folder: Path
) -> tuple[Links, matching.Scores]:
    """What matching all these at once finds, by pair of party ids, and its summary."""
    people = list(people)
    records = land(settings, people, folder / "identifiers.parquet")
    with matching.workbench(settings) as (db, _):
        db.register("given_records", records)
        scores = matching.match(db, [str(folder / "identifiers.parquet")], model, None)
        found = db.sql("select * from links order by all").to_arrow_table().to_pylist()
    return {(row["party_id_a"], row["party_id_b"]): row for row in found}, scores
