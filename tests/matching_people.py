"""Party records for tests of matching: from plain values to the tokens and files that landing would make.

Here belongs what stands in for landing and dbt. Scenarios belong in the tests.
"""

import random
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
VERIFIED = ("is_document_verified", "is_birth_date_verified")
Links = dict[tuple[str, str], dict[str, Any]]


def land(settings: Settings, people: Iterable[Mapping[str, Any]], file: Path) -> pa.Table:
    """Records as ``int_identity__records`` has them; their values go into ``file``.

    Args:
        settings: whose key the tokens are made with.
        people: party_id and any of ``TYPES``, city, gender, and any of ``VERIFIED``.
        file: of the restricted part of the lake.
    """
    columns = ["party_id", *TYPES, "city", "gender"]
    rows = [{name: person.get(name) for name in columns} for person in people]
    given = pa.Table.from_pylist(rows, pa.schema([(name, pa.string()) for name in columns]))
    for flag in VERIFIED:
        given = given.append_column(flag, pa.array([bool(person.get(flag)) for person in people], pa.bool_()))
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
            f"select party_id, {tokens}, {', '.join(VERIFIED)}, city, gender from given {joins} order by party_id"
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


GIVEN = "Anna Maria Jürgen Björn Stefan Lena Hans Peter Sabine Olga Dmitri Wei 伟 娜 Ayşe Mehmet Thi Linh José".split()
FAMILY = "Müller Schmidt Meyer Maier Weiß Nowak Kowalski 张 李 Zhang Yılmaz Nguyễn Garcia Fischer Vogel Kaya".split()


def crowd(size: int, seed: int, prefix: str = "p") -> list[dict[str, Any]]:
    """People who share names, birth dates, towns, now and then a phone or an address."""
    draw = random.Random(seed)
    return [
        {
            "party_id": f"{prefix}{i}",
            "given_name": draw.choice(GIVEN),
            "family_name": draw.choice(FAMILY),
            "birth_date": f"{draw.randint(1940, 2005)}-{draw.randint(1, 12):02}-{draw.randint(1, 28):02}",
            "phone": f"+49 30 23125{draw.randint(0, 9999):05}",
            "email": f"x{draw.randint(0, 99999)}@example.org" if draw.random() < 0.8 else None,
            "address": f"Hauptstraße {draw.randint(1, 200)}, 10{draw.randint(100, 130)} Berlin",
            "postcode": f"10{draw.randint(100, 130)}",
            "city": draw.choice(["Berlin", "Hamburg", "München"]),
            "gender": draw.choice(["female", "male", None]),
            "document": f"L{draw.randint(10**6, 10**7)}" if draw.random() < 0.5 else None,
        }
        for i in range(size)
    ]


def soiled(people: list[dict[str, Any]], seed: int, prefix: str) -> list[dict[str, Any]]:
    """Second records of people, each with one field missing or written otherwise."""
    draw, out = random.Random(seed), []
    for person in people:
        second = person | {"party_id": f"{prefix}{person['party_id']}"}
        field = draw.choice(["phone", "email", "document", "birth_date", "family_name", "address"])
        value = second[field]
        out.append(second | {field: None if field in ("phone", "email", "document") or not value else value[:-1] + "9"})
    return out
