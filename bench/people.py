"""``python -m bench.people``: how well people are found, on synthetic banks whose truth is known.

Party records: pairs of records of one person, after all strata, beside the deterministic rules alone and a bare Splink
model on the same records. Events: calls and app events whose person is found, mistaken or left open. No seed here may
have been used to choose anything: those of training are 1000 and above.
"""

import argparse
import math
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bench import splink_rival
from cx360 import days, ledger, pipeline, postgres, sample
from cx360.identity.partition import Facts, Partition
from cx360.settings import Settings

#: Pairs (a < b) of records of one person, by the truth and as found; relations of the people behind mistaken ones.
_PAIRS = """
with records as (
    select g.party_id, {group} as found, t.person_id
    from identity.party_groups as g
    inner join groups as e using (party_id)
    inner join read_parquet('{truth}/party_persons.parquet') as t using (party_id)
),
same as (
    select a.party_id as a, b.party_id as b
    from records as a inner join records as b on a.person_id = b.person_id and a.party_id < b.party_id
),
found as (
    select a.party_id as a, b.party_id as b, a.person_id = b.person_id as is_right, a.person_id as x, b.person_id as y
    from records as a inner join records as b on a.found = b.found and a.party_id < b.party_id
),
exact as (
    select s.a, s.b,
        coalesce(l.document_token = r.document_token or l.phone_token = r.phone_token or l.email_token = r.email_token,
            false) as has_exact
    from same as s
    inner join identity.int_identity__records as l on l.party_id = s.a
    inner join identity.int_identity__records as r on r.party_id = s.b
),
judged as (
    select e.*, f.a is not null as is_found from exact as e left join found as f using (a, b)
),
alike as (
    select distinct least(person_id_a, person_id_b) as x, greatest(person_id_a, person_id_b) as y
    from read_parquet('{truth}/lookalikes.parquet')
)
select
    (select count(*) from same) as pairs,
    (select count(*) from judged where is_found) as right_pairs,
    (select count(*) from found where not is_right) as wrong_pairs,
    (select count(*) from judged where not has_exact) as inexact_pairs,
    (select count(*) from judged where not has_exact and is_found) as right_inexact_pairs,
    (select count(*) from found as f where not is_right and exists (
        select 1 from alike where alike.x = least(f.x, f.y) and alike.y = greatest(f.x, f.y))) as wrong_alike_pairs,
    (select count(*) from alike) as alike_people
"""

#: Events by whether the person who acted is among the people of their profile.
_EVENTS = """
with people as (
    select g.profile_id, t.owner_person_id as person_id
    from identity.party_groups as g
    inner join read_parquet('{truth}/party_persons.parquet') as t using (party_id)
    group by all
),
events as ({events}),
placed as (
    select e.person_id, m.profile_id,
        exists (select 1 from people as p where p.profile_id = m.profile_id) as is_somebody,
        exists (select 1 from people as p where p.profile_id = m.profile_id and p.person_id = e.person_id) as is_right
    from events as e
    left join identity.identity_map as m
        on m.identifier_type = e.subject_type and m.identifier = e.subject
            and m.valid_from <= e.business_date and m.valid_to > e.business_date
)
select
    count(*) as events,
    count(*) filter (is_right or (person_id is null and not is_somebody)) as right_events,
    count(*) filter (is_somebody and not is_right) as wrong_events,
    count(*) filter (person_id is not null and not is_somebody) as open_events
from placed
"""

_APP = """
    select t.person_id, e.subject_type, e.subject, e.business_date
    from staging.stg_app_events as e
    inner join read_parquet('{truth}/app_sessions.parquet') as t using (session_id)
"""
_CALLS = """
    select t.person_id, c.subject_type, c.subject, c.business_date
    from staging.stg_call_logs as c
    inner join read_parquet('{truth}/calls.parquet') as t using (call_id)
"""


#: Links that stand but for matches.
_LINKS_OF_RULES = """
    select party_id_a, party_id_b from identity.party_links where outcome = 'joined' and rule <> 'match'
"""

#: Calls without an id in the source have none in the truth; they are left out.
_MEASURED = {"app events": _APP, "calls": _CALLS}


def pairs(folder: Path, seed: int, customers: int, **how: Any) -> dict[str, dict[str, int]]:
    """Counts of pairs by all strata, by deterministic rules alone and by bare Splink, of a bank's party records."""
    found = {}
    with _bank(folder, seed, customers, feeds=("parties",), **how) as (db, truth):
        by_rules = db.sql(_LINKS_OF_RULES).to_arrow_table()
        db.register("rivals", _people(db, by_rules=by_rules, by_splink=splink_rival.links(folder / "bank" / "inbox")))
        db.execute("create temp table groups as from rivals")
        ways = {"cx360": "g.profile_id", "its deterministic rules alone": "e.by_rules", "bare Splink": "e.by_splink"}
        for name, group in ways.items():
            found[name] = _counts(db, _PAIRS.format(group=group, truth=truth))
    return found


def events(folder: Path, seed: int, customers: int) -> dict[str, dict[str, int]]:
    """Counts of app events and calls whose person is right, wrong or left open."""
    with _bank(folder, seed, customers) as (db, truth):
        return {
            name: _counts(db, _EVENTS.format(truth=truth, events=sql.format(truth=truth)))
            for name, sql in _MEASURED.items()
        }


def _counts(db: duckdb.DuckDBPyConnection, sql: str) -> dict[str, int]:
    cursor = db.execute(sql)
    (row,) = cursor.fetchall()
    return dict(zip([column[0] for column in cursor.description], row, strict=True))


def _people(db: duckdb.DuckDBPyConnection, **ways: pa.Table) -> pa.Table:
    """(party_id, one label per way): connected components of the links each way finds between records of the bank."""
    parties = db.sql("select party_id from identity.party_groups order by 1").to_arrow_table()["party_id"]
    size, found = len(parties), {"party_id": parties}
    for way, links in ways.items():
        ends = [pc.index_in(links[name], parties.combine_chunks()) for name in ("party_id_a", "party_id_b")]
        is_known = pc.and_(*map(pc.is_valid, ends))
        a, b = (pc.filter(end, is_known).to_numpy().astype(np.int64) for end in ends)
        nobody = np.zeros((2, 0), np.int64)
        people, _ = Partition.of_singles(size, Facts.none(size), nobody).join(a, b)
        found[way] = pa.chunked_array([people.labels])
    return pa.table(found)


@contextmanager
def _bank(folder: Path, seed: int, customers: int, **how: Any) -> Iterator[tuple[duckdb.DuckDBPyConnection, Path]]:
    """The warehouse of a synthetic bank whose people were resolved, and the folder of the truth; gone afterwards."""
    shutil.rmtree(folder, ignore_errors=True)
    sample.generate(customers, 60, seed, folder / "bank", **how)
    settings = Settings(home=folder / "home", inbox=folder / "bank" / "inbox")
    run = pipeline.Run(f"seed {seed}")
    try:
        with ledger.session(settings):
            pass
        for feed in days.feeds(settings):
            pipeline.LAND(settings, run, feed)
        steps = pipeline.BUILD_STEPS[: 3 if "feeds" in how else 4]
        for step in (pipeline.DAY_STEPS[0], *steps):
            step(settings, run)
        with duckdb.connect(str(settings.warehouse), read_only=True) as db:
            yield db, folder / "bank" / "truth"
    finally:
        ledger.dispose()
        postgres.stop(settings)
        shutil.rmtree(folder, ignore_errors=True)


def share(part: int, whole: int) -> str:
    """A share with its 95 % interval (Wilson 1927)."""
    if not whole:
        return "-"
    z, p = 1.959964, part / whole
    middle, half = p + z * z / (2 * whole), z * math.sqrt(p * (1 - p) / whole + z * z / (4 * whole * whole))
    low, high = ((middle - half) / (1 + z * z / whole), (middle + half) / (1 + z * z / whole))
    return f"{p:.4f} ({low:.4f} to {high:.4f})"


def _told(name: str, n: Counter[str]) -> str:
    found = n["right_pairs"] + n["wrong_pairs"]
    cells = (
        name,
        share(n["right_pairs"], found),
        share(n["right_pairs"], n["pairs"]),
        share(n["right_inexact_pairs"], n["inexact_pairs"]),
        f"{n['wrong_pairs']} / {n['pairs'] - n['right_pairs']} of {n['pairs']:,}",
        f"{n['wrong_alike_pairs']} of {n['alike_people']:,}",
    )
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Measure, print a table."""
    parser = argparse.ArgumentParser(prog="bench.people", description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(1, 11)))
    parser.add_argument("--customers", type=int, default=50_000)
    parser.add_argument("--dirt", type=float, default=1.0, help="factor on the dirt of further records")
    parser.add_argument("--events", action="store_true", help="attribution of calls and app events instead")
    parser.add_argument("--folder", type=Path, default=Path("build/bench/people"))
    options = parser.parse_args()
    total: dict[str, Counter[str]] = {}
    for seed in options.seeds:
        how = {} if options.events else {"dirt": options.dirt}
        measure = events if options.events else pairs
        for name, counts in measure(options.folder.resolve(), seed, options.customers, **how).items():
            total.setdefault(name, Counter()).update(counts)
            print(seed, name, counts, file=sys.stderr, flush=True)
    if options.events:
        print("| what | right | wrong | left open | of |\n| --- | --- | --- | --- | --- |")
        for name, n in total.items():
            parts = (share(n[f"{kind}_events"], n["events"]) for kind in ("right", "wrong", "open"))
            print(f"| {name} | {' | '.join(parts)} | {n['events']:,} |")
        return
    print("| by | precision | recall | recall, no exact identifier | wrong / missed pairs | wrong among lookalikes |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, n in total.items():
        print(_told(name, n))


if __name__ == "__main__":
    main()
