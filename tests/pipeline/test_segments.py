"""Segments, stages and tiers of synthetic banks: what was planted is found, and nothing where nothing was planted.

Formulas are held in small by dbt's unit tests; here belongs what only a whole bank, or a changed seed, can show.
"""

import csv
import json
import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from cx360 import days, engines, ledger, pipeline, postgres, sample, warehouse
from cx360.settings import PROJECT, Settings
from tests.pipeline.raw_bank import RawBank

pytestmark = pytest.mark.slow

AS_OF = date(2026, 4, 2)
DAYS = 400


def built(home: Path, plant: bool) -> Settings:
    """A bank of 400 days whose tables were built."""
    sample.generate(600, DAYS, 41, home / "bank", plant=plant, end=AS_OF)
    settings = Settings(home=home / "home", inbox=home / "bank" / "inbox")
    run = pipeline.Run("segments")
    with ledger.session(settings):
        pass
    for feed in days.feeds(settings):
        pipeline.LAND(settings, run, feed)
    for step in pipeline.DAY_STEPS:
        step(settings, run)
    build(settings, run)
    return settings


def build(settings: Settings, run: pipeline.Run) -> None:
    """The profile and its segments, and what they are made of; no metrics and no features."""
    for step in pipeline.BUILD_STEPS[:3]:
        step(settings, run)
    warehouse.dbt(settings, "build_tables", select="+customer_profile +path:models/segments", exclude=pipeline.EVIDENCE)


def _bank(home: Path, plant: bool) -> Iterator[Settings]:
    settings = built(home, plant)
    yield settings
    ledger.dispose()
    postgres.stop(settings)
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    yield from _bank(tmp_path_factory.mktemp("planted"), plant=True)


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    yield from _bank(tmp_path_factory.mktemp("calm"), plant=False)


def query(settings: Settings, sql: str) -> list[tuple[Any, ...]]:
    truth = settings.inbox_folder.parent / "truth"
    with engines.open_warehouse(settings, read_only=True) as db:
        return [tuple(row.values()) for row in db.query(sql.replace("$truth", str(truth))).to_pylist()]


#: The segments of each profile by month.
MONTHS = """
    (
        select distinct p.profile_id, p.scheme, s.segment, d.month_start, d.is_final
        from profile.int_segments__placed as p
        inner join profile.int_segments__days as d on p.months & d.month_bit <> 0
        inner join profile.int_segments__sized as s
            on p.rule_scheme = s.scheme and p.rule_version = s.rule_version and p.priority = s.priority
            and d.month_start = s.month_start
    )
"""

#: Where each person who is known by one profile alone is placed in each month: person_id, profile_id, scheme, …
PLACES = f"""
    with people as (
        select g.profile_id, min(t.owner_person_id) as person_id
        from identity.party_groups as g
        inner join read_parquet('$truth/party_persons.parquet') as t using (party_id)
        group by g.profile_id
        having count(distinct t.owner_person_id) = 1
    ),
    places as (
        select p.person_id, s.*, i.inactive_days, i.has_open_product,
            i.active_day_12m_count, i.active_day_prior_3m_count
        from {MONTHS} as s
        inner join profile.int_segments__inputs as i using (profile_id, month_start)
        inner join people as p using (profile_id)
        where i.is_customer = 1 and i.is_deceased = 0
    )
"""


def planted_days(settings: Settings, fact: str) -> dict[str, date]:
    """Of those who were planted to leave their last day of acting, to grow their first of it; nobody in a calm bank."""
    facts = json.loads((settings.inbox_folder.parent / "truth" / "facts.json").read_text())
    return {person: date.fromisoformat(day) for person, day in (facts[fact] or {"members": {}})["members"].items()}


def test_who_was_planted_to_leave_is_found_dormant_or_lost(planted: Settings) -> None:
    gone = {person for person, day in planted_days(planted, "leavers").items() if day <= AS_OF - timedelta(days=90)}
    now = query(planted, PLACES + "select person_id, segment from places where scheme = 'lifecycle' and not is_final")
    found = {person: segment for person, segment in now if person in gone}
    assert len(found) >= 5
    assert set(found.values()) <= {"dormant", "lost"}


def test_who_leaves_a_habit_is_at_risk_of_leaving_first(planted: Settings) -> None:
    told = query(planted, PLACES + "select distinct person_id from places where segment = 'churn_risk'")
    habit = query(
        planted,
        PLACES + "select person_id from places where scheme = 'primary' and is_final and has_open_product = 1"
        " and inactive_days between 45 and 89 and active_day_prior_3m_count >= 18",
    )
    assert {person for (person,) in told} <= set(planted_days(planted, "leavers"))
    assert habit and set(habit) <= set(told)


def test_who_was_planted_to_grow_is_found_growing_and_nobody_else_is(planted: Settings) -> None:
    growing = "select distinct person_id from places where segment = 'growing' and scheme = 'lifecycle'"
    grown = set(planted_days(planted, "growers"))
    assert len(grown) >= 5
    assert {person for (person,) in query(planted, f"{PLACES}{growing} and not is_final")} == grown
    assert {person for (person,) in query(planted, PLACES + growing)} == grown


def test_where_nothing_is_planted_nobody_declines_or_is_at_risk(calm: Settings) -> None:
    assert not planted_days(calm, "leavers") and not planted_days(calm, "growers")
    moved = "('declining', 'growing', 'churn_risk', 'at_risk')"
    of_habit = "select count(*) as n from places where scheme in ('lifecycle', 'primary')"
    assert query(calm, PLACES + of_habit)[0][0] > 5_000
    assert query(calm, f"{PLACES}{of_habit} and segment in {moved}") == [(0,)]
    silent = "and segment in ('dormant', 'lost') and active_day_12m_count >= 36"
    assert query(calm, f"{PLACES}{of_habit} {silent}") == [(0,)]


def test_onboarding_has_days_waves_and_an_activation(planted: Settings) -> None:
    """Who opened a first account or holding within 90 days is in a wave by the day; enough own acts activate."""
    rows = query(
        planted,
        f"""
        select p.onboarding_day_count, p.onboarding_wave, p.is_activated_90d,
            coalesce(sum(bit_count(a.active_days >> least(greatest(i.opened_date - a.month_start, 0), 31))), 0) as n
        from profile.customer_profile as p
        inner join profile.int_segments__scored as i on p.profile_id = i.profile_id and not i.is_final
        left join profile.int_segments__activity as a on p.profile_id = a.profile_id
        where i.opened_date > date '{AS_OF}' - 90 and p.lifecycle_stage <> 'lost'
        group by p.profile_id, p.onboarding_day_count, p.onboarding_wave, p.is_activated_90d, i.tenure_days
        """,
    )
    assert len(rows) >= 2
    for day, wave, is_activated, acts in rows:
        assert wave == next(name for first, name in WAVES if day >= first)
        assert is_activated is (True if acts >= 3 else None)  # open until the 90 days are over


#: First day of the waves of seed onboarding_waves, the last first.
WAVES = [(61, "depth"), (31, "habit"), (8, "activation"), (1, "welcome")]


def test_months_and_memberships_say_the_same(planted: Settings) -> None:
    assert query(
        planted,
        f"""
        select count(*) as n from {MONTHS} as s
        full join profile.segment_membership as m
            on s.profile_id = m.profile_id and s.scheme = m.scheme and s.segment = m.segment
            and s.month_start >= m.from_month and coalesce(s.month_start < m.left_date, true)
        where s.profile_id is null or m.profile_id is null
        """,
    ) == [(0,)]


def test_a_threshold_in_the_seed_moves_people_from_its_day_on(planted: Settings) -> None:
    """An analyst calls people dormant after 30 days instead of 90, from March on."""
    places = f"select profile_id, month_start, segment from {MONTHS} as s where scheme = 'lifecycle'"
    before = set(query(planted, places))
    seeds = planted.home / "config" / "dbt_project" / "seeds"
    seeds.mkdir(parents=True)
    rules = list(csv.DictReader((PROJECT / "dbt_project" / "seeds" / "segment_rules.csv").open()))
    changed = [
        rule | {"valid_from": "2026-03-01", "at_least": "30" if rule["segment"] == "dormant" else rule["at_least"]}
        for rule in rules
        if rule["scheme"] == "lifecycle"
    ]
    with (seeds / "segment_rules.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rules[0])
        writer.writeheader()
        writer.writerows(rules + changed)
    try:
        warehouse.dbt(planted, "build_tables", select="segment_rules segment_rules+,path:models/segments")
        after = set(query(planted, places))
        versions = query(
            planted, "select distinct rule_version from profile.segment_membership where scheme = 'lifecycle'"
        )
    finally:
        shutil.rmtree(planted.home / "config")
        warehouse.dbt(planted, "build_tables", select="segment_rules segment_rules+,path:models/segments")
    march = date(2026, 3, 1)
    assert {place for place in before if place[1] < march} == {place for place in after if place[1] < march}
    dormant = [
        {person for person, month, segment in rows if month == march and segment == "dormant"}
        for rows in (before, after)
    ]
    assert dormant[0] < dormant[1]
    assert (march,) in versions
    assert set(query(planted, places)) == before


def test_an_earlier_as_of_places_its_months_the_same(planted: Settings) -> None:
    """What February was is told in February as in April, of all whose identity nothing has changed since."""
    places = (
        f"select profile_id, month_start, segment from {MONTHS} as s"
        " where scheme = 'lifecycle' and month_start < date '2026-03-01'"
    )
    identity = "select profile_id, identifier_type, identifier, valid_from, valid_to from identity.identity_map"
    later, who_later = set(query(planted, places)), set(query(planted, identity))
    build(planted, pipeline.Run("february", as_of=date(2026, 2, 28)))
    earlier, who_earlier = set(query(planted, places)), set(query(planted, identity))
    changed = {row[0] for row in who_later ^ who_earlier}
    assert len(later) > 5_000 > 20 * len(changed)
    assert {place[0] for place in later ^ earlier} <= changed


def _booking(key: str, account: str, day: str, amount: str, **columns: Any) -> dict[str, Any]:
    row = {"transaction_id": key, "account_id": account, "booked_date": day, "amount": amount, "currency": "EUR"}
    return row | {"direction": "debit", "status": "booked", "category": "payment", "version_number": 1} | columns


def _login(key: str, day: str, party: str | None) -> dict[str, Any]:
    named = {"event_id": key, "occurred_at": f"{day} 12:00+00", "event_name": "login", "platform": "ios"}
    return named | {"device_token": "phone", "party_id": party}


#: By arrival: feed and rows. What a bank told by 10 March; then, by 11 April, a new day, a late booking of last
#: spring, a correction that moves one to another month, a record that proves to be another's, and a device of two.
DELIVERIES = [
    ("parties", [{"party_id": p, "party_type": "person", "name_token": f"k1:name:{p}"} for p in ("A", "B", "C")]),
    ("account_parties", [{"account_id": a, "party_id": a[0].upper(), "role": "owner"} for a in ("a", "b", "b2", "c")]),
    ("fx_rates", [{"rate_date": "2025-12-05", "currency": "USD", "quote_currency": "EUR", "rate": "0.50000"}]),
    (
        "transactions",
        [
            *(_booking(f"{a}{m}", a, f"2025-{m:02}-{m:02}", "50.00") for a in "abc" for m in range(4, 13)),
            *(_booking(f"{a}$", a, "2025-12-05", "0.03", currency="USD") for a in ("b", "b2")),
            _booking("a26", "a", "2026-03-10", "7.00", balance_after_amount="60000.00"),
            _booking("b26", "b", "2026-02-28", "7.00", balance_after_amount="9.00"),
        ],
    ),
    ("app_events", [_login("e1", "2026-01-05", "A"), _login("e2", "2026-02-06", None)]),
    (
        "transactions",
        [
            _booking("a27", "a", "2026-04-11", "9.00", balance_after_amount="5.00"),
            _booking("late", "b", "2025-05-31", "900.00", balance_after_amount="70000.00"),
            _booking("c8", "c", "2026-01-31", "51.00", version_number=2),
        ],
    ),
    ("app_events", [_login("e3", "2026-04-10", "B")]),
    ("parties", [{"party_id": p, "document_token": "k1:document:1", "is_document_verified": True,
                  "party_type": "person", "name_token": "k1:name:A"} for p in ("A", "C")]),
]  # fmt: skip


def test_months_kept_from_day_to_day_are_those_of_one_build(tmp_path: Path, target: Path) -> None:
    """Also when the late rows are withdrawn, and told as of an earlier day."""
    models = ["+path:models/segments"]

    def bank(name: str) -> RawBank:
        made = RawBank(tmp_path / name, target)
        for number, (feed, rows) in enumerate(DELIVERIES, start=1):
            made.deliver(number, feed, "2026-04-11", rows)
        return made

    def tables(of: RawBank) -> dict[str, list[tuple[Any, ...]]]:
        names = of.query("select table_name from information_schema.tables where table_schema = 'profile' order by 1")
        built = [name for (name,) in names if "segment" in name or name in ("loyalty_tiers", "rfm_cut_points")]
        return {name: of.query(f"from profile.{name} order by all") for name in built}

    by_day, at_once = bank("by_day"), bank("at_once")
    by_day.open(5)
    by_day.build("2026-03-10", full=True, models=models)
    began = tables(by_day)
    by_day.open(8, changed=(6, 7, 8))
    by_day.build("2026-04-11", full=False, models=models)
    at_once.open(8)
    at_once.build("2026-04-11", full=True, models=models)
    assert tables(by_day) == tables(at_once)
    assert len(tables(by_day)["int_segments__people"]) == len(began["int_segments__people"]) - 1
    by_day.open(5, changed=(6, 7, 8))
    by_day.build("2026-03-10", full=False, models=models)
    assert tables(by_day) == began
