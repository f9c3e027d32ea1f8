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

MODELS = ["+cx_metrics_daily", "+cx_metrics_rolling", "cx_metric_registry", "cx_rules"]
KEPT = tuple(f"int_cx__{name}" for name in ("daily_cells", "rolling_cells", "medians", "metrics", "hidden_cells"))
TOLD = ("cx_metrics_daily", "cx_metrics_rolling")
FIRST = date(2026, 1, 1)


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
    made.deliver(2, "call_logs", "2026-03-01", calls)
    made.deliver(3, "survey_responses", "2026-03-01", answers)
    made.deliver(4, "survey_responses", "2026-03-01", [_answer("gone", 3, date(2026, 2, 3), 1)])
    late = [_answer("late", 20, date(2026, 2, 10), 1), _answer("new", 6, date(2026, 3, 2), 5)]
    made.deliver(5, "survey_responses", "2026-03-02", late)
    late_calls = [_call("late", 1, date(2026, 2, 14), 390), _call("new", 2, date(2026, 3, 2), 5)]
    made.deliver(6, "call_logs", "2026-03-02", late_calls)
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
    """A figure of an untouched day is spoilt on purpose: a day that was worked out anew would not show it any more."""
    untouched = "metric = 'csat_mean' and window_days = 1 and metric_date = date '2026-01-20'"
    _write(bank, f"update cx.int_cx__metrics set interval_method = 'spoilt' where {untouched}")
    bank.open(6, changed=[4, 5, 6], withdrawn=4)
    bank.build("2026-03-02", full=False, models=MODELS)
    assert bank.query(f"select distinct interval_method from cx.int_cx__metrics where {untouched}") == [("spoilt",)]
    _write(bank, f"update cx.int_cx__metrics set interval_method = 'mean' where {untouched}")
    touched = bank.query(
        "select metric_date, n from cx.int_cx__daily_cells where metric = 'csat_mean' and dimension_set = 'total'"
        " and metric_date in ('2026-02-03', '2026-02-10', '2026-03-02') order by metric_date"
    )
    assert touched == [(date(2026, 2, 3), 9), (date(2026, 2, 10), 10), (date(2026, 3, 2), 1)]
    day_by_day = _rows(bank)
    assert all(day_by_day.values())
    bank.build("2026-03-02", full=True, models=MODELS)
    assert _rows(bank) == day_by_day


def test_an_earlier_as_of_forgets_the_days_after_it(bank: RawBank, first: Rows) -> None:
    bank.open(4, changed=[4, 5, 6])
    bank.build("2026-03-01", full=False, models=MODELS)
    assert _rows(bank) == first
