"""Identity in the warehouse: many small worlds in one build, whatever order and split of their deliveries; decisions
taken and withdrawn; anonymous ones who become known; what is shared, blank, doubled or handed on.
"""

import random
from pathlib import Path
from typing import Any

import pytest

from cx360.identity.decisions import Contradiction
from cx360.ledger import Decision
from tests.pipeline.raw_bank import RawBank

AS_OF = "2024-03-31"
MODELS = ["+path:models/staging", "+path:models/identity"]

#: Tables that must not depend on how evidence came.
TABLES = {
    "identity.party_groups": "*",
    "identity.party_links": "*",
    "identity.suppressed_identifiers": "*",
    "identity.identity_map": "*",
    "identity.int_identity__ambiguous": "*",
}

#: Worlds of a handful of records, each with tokens of its own: many random cases in one build.
WORLDS = 80


def _token(kind: str, world: int, value: int) -> str:
    return f"k1:{kind}:{world:08x}{value:024x}"


def _worlds() -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[Decision]]:
    """Party versions, app events and decisions of every world."""
    draw = random.Random(20240331)  # the same worlds every time
    parties: list[dict[str, Any]] = []
    events: list[dict[str, Any]] = []
    decided: list[Decision] = []
    for world in range(WORLDS):
        keys = [f"w{world:03d}r{n}" for n in range(draw.randint(2, 8))]
        for key in keys:
            first = draw.randint(1, 20)
            for version in range(draw.randint(1, 2)):
                parties.append(_version(draw, world, key, first + 5 * version))
        for n in range(draw.randint(0, 6)):
            day = draw.randint(1, 31)
            events.append(
                {
                    "event_id": f"w{world:03d}e{n}",
                    "occurred_at": f"2024-03-{day:02d} 10:00:00+00",
                    "event_name": "login",
                    "platform": "ios",
                    "device_token": _token("device", world, draw.randint(1, 2)),
                    "app_user_token": draw.choice([None, _token("app_user", world, draw.randint(1, 2))]),
                    "party_id": draw.choice([None, None, draw.choice(keys)]),
                }
            )
        if world % 2:
            pair = draw.sample(keys, 2)
            kind = draw.choice(["force_link", "do_not_link"])
            decided.append(_decision(world, kind, *pair))
    return parties, events, decided


def _version(draw: random.Random, world: int, key: str, day: int) -> dict[str, Any]:
    def some(kind: str, values: int, share: float) -> str | None:
        return _token(kind, world, draw.randint(1, values)) if draw.random() < share else None

    return {
        "party_id": key,
        "party_type": draw.choice(["person"] * 9 + ["organisation"]),
        "status": "active",
        "updated_at": f"2024-03-{day:02d} 10:00:00+00",
        "name_token": some("name", 2, 0.9),
        "birth_date_token": some("birth_date", 2, 0.6),
        "is_birth_date_verified": draw.random() < 0.3,
        "document_token": some("document", 3, 0.4),
        "document_type": "card",
        "is_document_verified": draw.random() < 0.8,
        "phone_token": some("phone", 2, 0.6),
        "email_token": some("email", 2, 0.5),
        "address_token": some("address", 1, 0.5),
        "family_name_token": some("name", 2, 0.5),
    }


def _decision(number: int, kind: str, one: str, other: str) -> Decision:
    a, b = sorted((one, other))
    return Decision(decision_number=number, kind=kind, party_id_a=a, party_id_b=b, reason="test", decided_by="test")


def _deliver(bank: Any, parties: list[dict[str, Any]], events: list[dict[str, Any]], order: int, parts: int) -> None:
    """Deal the rows out over some deliveries, in an order of their own."""
    draw = random.Random(order)
    rows = [("parties", row) for row in parties] + [("app_events", row) for row in events]
    draw.shuffle(rows)
    for part in range(parts):
        for number, feed in enumerate(("parties", "app_events")):
            mine = [row for place, (of, row) in enumerate(rows) if of == feed and place % parts == part]
            if mine:
                bank.deliver(2 * part + number + 1, feed, f"2024-04-{part + 1:02d}", mine)


def _tables(bank: Any) -> dict[str, list[tuple[Any, ...]]]:
    return {table: bank.query(f"select {columns} from {table} order by all") for table, columns in TABLES.items()}


@pytest.fixture(scope="module")
def at_once(tmp_path_factory: pytest.TempPathFactory, target: Path) -> Any:
    """All worlds in one delivery, with decisions, with data tests."""
    parties, events, decided = _worlds()
    bank = RawBank(tmp_path_factory.mktemp("at_once"), target)
    _deliver(bank, parties, events, order=1, parts=1)
    bank.open(99)
    bank.build(AS_OF, full=True, tests=True, models=MODELS, decided=decided)
    return bank


def test_worlds_have_what_they_are_for(at_once: Any) -> None:
    """Links of every rule and outcome, people of several records, open and suppressed identifiers, prospects."""
    found = dict(at_once.query("select rule || ' ' || outcome, count(*) from identity.party_links group by all"))
    for what in (
        "document joined",
        "phone_name joined",
        "phone_name refused",
        "email_name given_up",
        "force_link joined",
    ):
        assert found.get(what, 0) > 3, (what, found)
    ((people, records),) = at_once.query("select count(distinct profile_id), count(*) from identity.party_groups")
    assert people < 0.8 * records
    assert at_once.query("select count(*) from identity.int_identity__ambiguous")[0][0] > 10
    assert at_once.query("select count(*) from identity.int_identity__prospects")[0][0] > 10


def test_any_order_and_split_of_deliveries_makes_the_same_people_and_ids(
    at_once: Any, tmp_path_factory: pytest.TempPathFactory, target: Path
) -> None:
    parties, events, decided = _worlds()
    bank = RawBank(tmp_path_factory.mktemp("in_parts"), target)
    _deliver(bank, parties, events, order=2, parts=3)
    bank.open(2)
    bank.build(AS_OF, full=True, models=MODELS, decided=decided[: len(decided) // 2])
    bank.open(4, changed=[3, 4])
    bank.build(AS_OF, full=False, models=MODELS, decided=decided[::-1])
    bank.open(6, changed=[5, 6])
    bank.build(AS_OF, full=False, models=MODELS, decided=decided)
    mine, theirs = _tables(bank), _tables(at_once)
    for table in TABLES:
        assert mine[table] == theirs[table], table


def test_a_withdrawn_decision_leaves_no_trace_and_a_new_one_touches_its_own_group_only(
    at_once: Any, tmp_path_factory: pytest.TempPathFactory, target: Path
) -> None:
    parties, events, decided = _worlds()
    with_all = dict(at_once.query("select party_id, profile_id from identity.party_groups"))
    bank = RawBank(tmp_path_factory.mktemp("undone"), target)
    _deliver(bank, parties, events, order=3, parts=2)
    bank.open(99)
    bank.build(AS_OF, full=True, models=MODELS)
    without = _tables(bank)
    bank.build(AS_OF, full=False, models=MODELS, decided=decided)
    assert dict(bank.query("select party_id, profile_id from identity.party_groups")) == with_all
    bank.build(AS_OF, full=False, models=MODELS)
    assert _tables(bank) == without
    before = {row[0]: row[1] for row in without["identity.party_groups"]}
    changed = {key[:4] for key in before if before[key] != with_all[key]}
    assert changed and changed <= {str(d.party_id_a)[:4] for d in decided}


def test_decisions_that_contradict_each_other_through_a_third_record_stop_the_run(at_once: Any) -> None:
    keys = [
        key for (key,) in at_once.query("select min(party_id) from identity.party_groups group by left(party_id, 4)")
    ]
    one, other, third = keys[:3]
    decided = [
        _decision(901, "force_link", one, other),
        _decision(902, "force_link", other, third),
        _decision(903, "do_not_link", one, third),
    ]
    with pytest.raises(Contradiction, match=r"decision 903 \(do_not_link\)"):
        at_once.build(AS_OF, full=False, models=MODELS, decided=decided)


def _party(party_id: str, **columns: Any) -> dict[str, Any]:
    return {"party_id": party_id, "party_type": "person", "status": "active", **columns}


def _people(bank: Any) -> set[frozenset[str]]:
    rows = bank.query("select list(party_id) from identity.party_groups group by profile_id")
    return {frozenset(row[0]) for row in rows}


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory, target: Path) -> Any:
    """A branch's phone, a batch of blank ids, a doubled master, a number that is handed on."""
    bank = RawBank(tmp_path_factory.mktemp("planted"), target)
    name = "k1:name:{:032x}".format
    phone = "k1:phone:{:032x}".format
    document = "k1:document:{:032x}".format
    rows = [
        *[_party(f"branch{n:02d}", phone_token=phone(1), name_token=name(1)) for n in range(30)],
        *[
            _party(f"blank{n:02d}", document_token=document(7), is_document_verified=True, name_token=name(100 + n))
            for n in range(30)
        ],
        *[_party(f"unknown{n:02d}", document_token="k1:document?:0", is_document_verified=True) for n in range(30)],
        *[
            _party(f"{half}{n}", document_token=document(50 + n), is_document_verified=True, name_token=name(200 + n))
            for half in ("master", "double")
            for n in range(10)
        ],
        _party("gave", phone_token=phone(9), name_token=name(300), updated_at="2024-01-01 10:00:00+00"),
        _party("gave", phone_token=phone(10), name_token=name(300), updated_at="2024-02-01 10:00:00+00"),
        _party("took", name_token=name(301), updated_at="2024-01-01 10:00:00+00"),
        _party("took", phone_token=phone(9), name_token=name(301), updated_at="2024-03-01 10:00:00+00"),
    ]
    bank.deliver(1, "parties", "2024-03-30", rows)
    bank.open(9)
    bank.build(AS_OF, full=True, models=MODELS)
    return bank


def test_a_shared_phone_and_a_batch_of_blank_ids_join_nobody_and_are_listed(planted: Any) -> None:
    people = _people(planted)
    assert all(len(group) == 1 for group in people if next(iter(group)).startswith(("branch", "blank", "unknown")))
    listed = planted.query(
        "select identifier_type, holder_count from identity.suppressed_identifiers order by identifier_type"
    )
    assert listed == [("document", 30), ("phone", 30)]


def test_a_doubled_master_is_absorbed(planted: Any) -> None:
    assert {frozenset({f"master{n}", f"double{n}"}) for n in range(10)} <= _people(planted)


def test_a_recycled_number_is_each_holders_in_turn(planted: Any) -> None:
    token = f"k1:phone:{9:032x}"
    assert planted.periods(token) == [
        ("0001-01-01", "2024-03-01", planted.profile_of("gave")),
        ("2024-03-01", "9999-12-31", planted.profile_of("took")),
    ]
