"""Cells of metrics are kept by digest: what changed is worked out anew, as a full build does it, and nothing else."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.pipeline.raw_bank import RawBank

pytestmark = pytest.mark.slow

Row = dict[str, Any]
Rows = dict[str, list[tuple[Any, ...]]]

MODELS = ["+cx_metrics_daily", "+cx_metrics_rolling", "+agent_handling", "cx_metric_registry", "cx_rules"]
KEPT = tuple(
    f"int_cx__{name}" for name in ("observations", "daily_cells", "rolling_cells", "medians", "metrics", "hidden_cells")
)
TOLD = ("cx_metrics_daily", "cx_metrics_rolling", "agent_handling")
FIRST = date(2026, 1, 1)

#: Rows of a day on which nothing changes: a column that nothing else is made of, what spoils it, and what mends it.
DAY = "metric_date = date '2026-01-20' and metric ="
SPOILT = [
    ("int_cx__observations", f"{DAY} 'csat_mean'", "nps_class", "'spoilt'", "null"),
    ("int_cx__metrics", f"{DAY} 'csat_mean' and window_days = 1", "interval_method", "'spoilt'", "'mean'"),
    ("int_cx__medians", f"{DAY} 'wait_seconds' and window_days = 1", "median_value", "-median_value", "-median_value"),
]


def _answer(key: str, party: int, day: date, score: int, region: str = "North") -> Row:
    return {
        "response_id": key,
        "responded_at": f"{day} 12:00+00",
        "party_id": f"P{party}",
        "question_id": "q1",
        "question_family": "csat",
        "survey_kind": "transactional",
        "scale_min": 1,
        "scale_max": 5,
        "is_high_good": True,
        "score": score,
        "channel": "phone",
        "region": region,
    }


def _call(key: str, party: int, day: date, wait: int) -> Row:
    return {
        "call_id": key,
        "party_id": f"P{party}",
        "started_at": f"{day} 09:00+00",
        "queued_at": f"{day} 09:00+00",
        "answered_at": f"{day} 09:{wait // 60:02}:{wait % 60:02}+00",
        "ended_at": f"{day} 10:00+00",
        "direction": "inbound",
        "outcome": "handled",
        "topic": "card",
        "handle_seconds": 60 + 7 * wait % 300,
        "transfer_count": wait % 2,
    }


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory, target: Path) -> RawBank:
    """Sixty days of calls and answers, some people coming again; a day with late ones takes an answer back."""
    made = RawBank(tmp_path_factory.mktemp("bank") / "home", target)
    people = [{"party_id": f"P{i}", "party_type": "person", "status": "active"} for i in range(40)]
    made.deliver(1, "parties", "2026-03-01", [p | {"updated_at": "2025-01-01 00:00+00"} for p in people])
    days = [FIRST + timedelta(days=i) for i in range(60)]
    regions = ("North", "North", "South", "East")
    answers = [
        _answer(f"A{i}-{k}", (7 * i + k) % 40, day, 1 + (i + k) % 5, regions[k % 4])
        for i, day in enumerate(days)
        for k in range(9)
    ]
    calls = [
        _call(f"C{i}-{k}", (3 * i + 5 * k) % 40, day, (37 * i + 11 * k) % 400)
        for i, day in enumerate(days)
        for k in range(7)
    ]
    untimed = _call("untimed", 4, date(2026, 1, 25), 1) | {"answered_at": None, "handle_seconds": None}
    made.deliver(2, "call_logs", "2026-03-01", [*calls, untimed])
    made.deliver(3, "survey_responses", "2026-03-01", answers)
    made.deliver(4, "survey_responses", "2026-03-01", [_answer("gone", 3, date(2026, 2, 3), 1)])
    late = [_answer("late", 20, date(2026, 2, 10), 1), _answer("new", 6, date(2026, 3, 2), 5)]
    made.deliver(5, "survey_responses", "2026-03-02", late)
    late_calls = [_call("late", 1, date(2026, 2, 14), 390), _call("new", 2, date(2026, 3, 2), 5)]
    made.deliver(6, "call_logs", "2026-03-02", late_calls)
    told = [("untimed", "ada", 120), ("untimed", "bob", 30), ("C24-0", "bob", 7), ("nobody_knows", "ada", 500)]
    legs = [
        {"leg_id": f"L{i}", "call_id": call, "agent_id": agent, "began_at": at, "handle_seconds": seconds}
        for i, (call, agent, seconds) in enumerate(told)
        for at in [f"2026-01-25 09:0{i}+00"]
    ]
    made.deliver(7, "call_legs", "2026-03-02", legs)
    made.open(4)
    made.build("2026-03-01", full=True, models=MODELS)
    return made


def _write(bank: RawBank, sql: str) -> None:
    with duckdb.connect(str(bank.settings.warehouse)) as db:
        db.execute(sql)


@pytest.fixture(scope="module")
def first(bank: RawBank) -> Rows:
    """What the first build says."""
    return _rows(bank)


def _rows(bank: RawBank) -> Rows:
    return {table: bank.query(f"select * from cx.{table} order by all") for table in (*KEPT, *TOLD)}


@pytest.mark.usefixtures("first")
def test_a_day_touches_what_changed_and_says_what_a_full_build_says(bank: RawBank) -> None:
    """Figures of an untouched day are spoilt on purpose: worked out anew, they would not be shown any more."""
    spoilt = [f"select {column} from cx.{table} where {rows} order by all" for table, rows, column, *_ in SPOILT]
    sound = [bank.query(sql) for sql in spoilt]
    for table, rows, column, wrong, _ in SPOILT:
        _write(bank, f"update cx.{table} set {column} = {wrong} where {rows}")
    shown = [bank.query(sql) for sql in spoilt]
    assert all(one != other for one, other in zip(shown, sound, strict=True))
    bank.open(7, changed=[4, 5, 6, 7], withdrawn=4)
    bank.build("2026-03-02", full=False, models=MODELS)
    assert [bank.query(sql) for sql in spoilt] == shown
    for table, rows, column, _, right in SPOILT:
        _write(bank, f"update cx.{table} set {column} = {right} where {rows}")
    touched = bank.query(
        "select metric_date, n from cx.int_cx__daily_cells where metric = 'csat_mean' and dimension_set = 'total'"
        " and metric_date in ('2026-02-03', '2026-02-10', '2026-03-02') order by metric_date"
    )
    assert touched == [(date(2026, 2, 3), 9), (date(2026, 2, 10), 10), (date(2026, 3, 2), 1)]
    day_by_day = _rows(bank)
    assert all(day_by_day.values())
    bank.build("2026-03-02", full=True, models=MODELS)
    assert _rows(bank) == day_by_day


def test_late_legs_tell_the_call_that_had_no_length_and_their_agents(bank: RawBank, first: Rows) -> None:
    """The bank as the test before left it: legs of a call of 25 January came in March, and of two that warn."""
    assert {row[0] for row in first["agent_handling"]} == {"(unknown)"}
    day = "metric_date = '2026-01-25'"
    seconds = bank.query("select sum(handle_seconds) from staging.stg_call_logs where business_date = '2026-01-25'")
    metric = f"select n, n_left_out, value_sum from cx.int_cx__daily_cells where {day} and metric = 'aht_seconds'"
    assert bank.query(f"{metric} and dimension_set = 'total'") == [(8, 0, seconds[0][0] + 150)]
    agents = f"select agent_id, handled_count, n, handle_seconds from cx.int_cx__agent_cells where {day}"
    assert bank.query(f"{agents} and window_days = 1 and agent_id <> '(unknown)' order by 1") == [
        ("ada", 1, 1, 120),
        ("bob", 1, 2, 37),
    ]


@pytest.mark.parametrize("test", ["assert_legs_add_up_to_their_call", "assert_every_leg_is_of_a_handled_call"])
def test_legs_that_say_something_else_than_their_call_warn(bank: RawBank, test: str) -> None:
    with pytest.raises(AssertionError, match=f"{test}: warn Got 1 result"):
        bank.dbt([test], "2026-03-02", command="test")


def test_an_earlier_as_of_forgets_the_days_after_it(bank: RawBank, first: Rows) -> None:
    bank.open(4, changed=[4, 5, 6, 7])
    bank.build("2026-03-01", full=False, models=MODELS)
    assert _rows(bank) == first


def _entry(key: str, party: str, booked: str, points: int, expires: str | None = None) -> Row:
    return {
        "entry_id": key,
        "party_id": party,
        "booked_date": booked,
        "points": points,
        "entry_type": "earned" if points > 0 else "redeemed",
        "expires_date": expires,
    }


def test_points_left_are_worked_out_anew_of_whom_entries_or_time_touch(
    tmp_path: Path,
    target: Path,
) -> None:
    """P1's points are over after 2 March, P2 has a late entry; P3 and P4, whom nothing touches, are spoilt on purpose.

    P4's points should have expired long ago: time touches those once.
    """
    bank = RawBank(tmp_path / "home", target)
    bank.deliver(
        1,
        "points_entries",
        "2026-03-01",
        [
            _entry("E1", "P1", "2026-01-05", 100, "2026-03-02"),
            _entry("E2", "P1", "2026-01-06", 40, "2026-06-30"),
            _entry("E3", "P1", "2026-02-01", -20),
            _entry("E4", "P2", "2026-01-05", 50, "2026-06-30"),
            _entry("E5", "P3", "2026-01-05", 30),
            _entry("E7", "P4", "2026-01-05", 30, "2026-02-01"),
        ],
    )
    bank.deliver(2, "points_entries", "2026-03-03", [_entry("E6", "P2", "2026-02-10", -5)])
    models = ["+int_points__left"]
    left = "select party_id, expires_date, left_count from profile.int_points__left order by all"
    over, never = date.min, date(9999, 12, 31)
    bank.open(1)
    bank.build("2026-03-01", full=True, models=models)
    first = [("P1", date(2026, 3, 2), 80), ("P1", date(2026, 6, 30), 40), ("P2", date(2026, 6, 30), 50)]
    assert bank.query(left) == [*first, ("P3", never, 30), ("P4", over, 30)]
    _write(bank, "update profile.int_points__left set left_count = 99 where party_id in ('P3', 'P4')")
    untouched = [("P3", never, 99), ("P4", over, 99)]
    bank.open(2, changed=[2])
    bank.build("2026-03-03", full=False, models=models)
    second = [("P1", over, 80), ("P1", date(2026, 6, 30), 40), ("P2", date(2026, 6, 30), 45)]
    assert bank.query(left) == [*second, *untouched]
    bank.open(1, changed=[2])
    bank.build("2026-03-01", full=False, models=models)
    assert bank.query(left) == [*first, *untouched]
