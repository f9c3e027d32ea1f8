"""Why metrics moved and what drives satisfaction, from hand-made rows, through the models of both.

Here belongs that SQL and Python say the same, and what becomes of rows on the way; formulas are tested in unit/.
"""

import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from cx360 import cli, drivers, engines, warehouse
from cx360 import why as reasons
from cx360.registry import DIMENSIONS
from cx360.why import CannotSay, Period
from tests.pipeline.raw_bank import RawBank

Row = dict[str, Any]

AS_OF = "2026-03-31"
MODELS = ["+cx_metric_moves", "+int_cx__driver_answers", "cx_rules", "driver_rules", "cx_metric_registry"]

#: Models between a late answer and the estimates.
LATE = ("answers", "person_days", "observation_days", "observations", "driver_answers")

#: Answers of the first quarter: about a call that is over, about one that is not, about none.
LINKED, BEFORE_THE_END, UNLINKED = 400, 20, 60


def _answer(key: str, party: str, at: str, family: str, score: int, **values: Any) -> Row:
    scale = {"nps": (0, 10), "csat": (1, 5)}[family]
    return {
        "response_id": key,
        "responded_at": f"{at}+00",
        "party_id": party,
        "question_id": family,
        "question_family": family,
        "survey_kind": "relationship" if family == "nps" else "transactional",
        "scale_min": scale[0],
        "scale_max": scale[1],
        "is_high_good": True,
        "score": score,
        "channel": "phone",
    } | values


def _calls_and_answers() -> tuple[list[Row], list[Row]]:
    """Calls on days of the quarter, and what people said an hour later: a minute of wait costs 0.5 of log odds."""
    rng = np.random.default_rng(11)
    calls, answers = [], []
    for i in range(LINKED + BEFORE_THE_END + UNLINKED):
        day = date(2026, 1, 8) + timedelta(days=i % 80)
        wait, party = int(rng.gamma(2.0, 90)), f"P{i}"
        call = {
            "call_id": f"C{i}",
            "party_id": party,
            "started_at": f"{day} 09:00+00",
            "queued_at": f"{day} 09:00+00",
            "direction": "inbound",
            "outcome": "handled",
            "topic": "card",
            "handle_seconds": 300,
            "transfer_count": int(rng.poisson(0.4)),
        }
        moment = np.datetime64(f"{day}T09:00") + np.timedelta64(wait, "s")
        call |= {"answered_at": f"{moment}+00", "ended_at": f"{day} 10:00+00"}
        calls.append(call)
        if i % 7 == 0:  # had called before, about the same
            calls.append(
                call | {"call_id": f"C{i}-first", "started_at": f"{day} 07:00+00", "ended_at": f"{day} 07:30+00"}
            )
        happy = rng.random() < 1 / (1 + np.exp(-(1.5 - 0.5 * (wait / 60 - 3))))
        linked = {} if i >= LINKED + BEFORE_THE_END else {"call_id": f"C{i}"}
        hour = "09:55" if LINKED <= i < LINKED + BEFORE_THE_END else "11:00"
        answers.append(_answer(f"S{i}", party, f"{day} {hour}", "csat", 5 if happy else 2, **linked))
    answers += [_answer(f"O{i}", f"P{i}", "2025-11-03 11:00", "csat", 4, call_id=f"C{i}") for i in range(50)]
    return calls, answers


def _nps() -> list[Row]:
    """Relationship answers of February and March by region: Old is left in March, New comes, Tiny is always small.

    By product there are three of loans in February and none in March.
    """
    counts = {
        "2026-02-10": {"A": (50, 10), "B": (60, 3), "Old": (40, 7), "Tiny": (5, 9)},
        "2026-03-10": {"A": (70, 9), "B": (40, 8), "New": (35, 2), "Tiny": (6, 3)},
    }
    answers = []
    for (day, regions), (loans, cards) in zip(counts.items(), ((3, 60), (0, 80)), strict=True):
        number = 0
        for region, (n, score) in regions.items():
            for k in range(n):
                said = score if k % 3 else 10 - score
                key, party = f"N{day}-{number}", f"P{number}"
                product = "loan" if number < loans else "card" if number < cards else "account"
                answers.append(_answer(key, party, f"{day} 12:00", "nps", said, region=region, product=product))
                number += 1
    # who answers again in the month has said only the last
    answers += [_answer(f"again{i}", f"P{i}", "2026-03-20 12:00", "nps", 0, region="B") for i in range(12)]
    return answers


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory, target: Path) -> RawBank:
    made = RawBank(tmp_path_factory.mktemp("bank") / "home", target)
    calls, answers = _calls_and_answers()
    people = LINKED + BEFORE_THE_END + UNLINKED
    made.deliver(1, "parties", "2026-03-31", [_party(i) for i in range(people)])
    made.deliver(2, "call_logs", "2026-03-31", calls)
    made.deliver(3, "survey_responses", "2026-03-31", answers + _nps())
    made.deliver(4, "survey_responses", "2026-04-01", [_answer("late", "P1", "2026-03-30 12:00", "csat", 1)])
    made.open(3)
    with engines.open_warehouse(made.settings) as db:
        db.write("raw.driver_estimates", warehouse.kept_schema("driver_estimates").empty_table())
        db.write("raw.run", db.query(f"select cast('{AS_OF}' as date) as as_of"))
    made.build(AS_OF, full=True, tests=True, models=MODELS)
    drivers.estimate(made.settings)
    made.dbt(["cx_drivers"], AS_OF, tests=True)
    return made


def _party(number: int) -> Row:
    return {"party_id": f"P{number}", "party_type": "person", "status": "active", "updated_at": "2025-01-01 00:00+00"}


def test_months_and_any_two_periods_say_the_same(bank: RawBank) -> None:
    """Every row of cx_metric_moves is what the formula says in fractions, and adds up to 1e-9."""
    columns = "dimension_value, n_before, n_after, rate_effect, mix_effect, entry_effect, exit_effect, total_change"
    bounds = "change_lower_bound, change_upper_bound"
    pairs = bank.query("select distinct metric, dimension, month_date from cx.cx_metric_moves order by all")
    march = ("nps_relationship", date(2026, 3, 1))
    assert {dimension for metric, dimension, month in pairs if (metric, month) == march} == set(DIMENSIONS)
    intervals = {}
    for metric, dimension, month in pairs:
        rows = bank.query(
            f"select {columns}, {bounds} from cx.cx_metric_moves"
            f" where metric = '{metric}' and dimension = '{dimension}'"
            f" and month_date = date '{month}' order by dimension_value = '(pooled)', dimension_value"
        )
        before = Period((month - timedelta(days=1)).replace(day=1), month - timedelta(days=1))
        after = Period(month, (month + timedelta(days=32)).replace(day=1) - timedelta(days=1))
        answer = reasons.why(bank.settings, metric, before, after, dimension)
        moves = answer.moves
        told = [(m.segment, m.before.n, m.after.n) for m in moves.segments]
        assert [row[:3] for row in rows] == told
        exact = [(m.rate, m.mix, m.entry, m.exit, moves.change) for m in moves.segments]
        assert np.abs(np.array([row[3:8] for row in rows]) - np.array(exact, dtype=float)).max() < 1e-10
        assert abs(sum(sum(row[3:7]) for row in rows) - rows[0][7]) <= 1e-9
        intervals |= {metric: answer.interval}
        told_bounds = {row[8:] for row in rows}
        assert told_bounds == {(None, None)} if answer.interval is None else len(told_bounds) == 1
        if answer.interval:
            assert next(iter(told_bounds)) == pytest.approx(answer.interval, rel=1e-6, abs=1e-6)
    assert {metric for metric, interval in intervals.items() if interval} >= {
        *("nps_relationship", "csat_mean", "csat_top_two_share", "wait_seconds"),
    }
    assert intervals["aht_seconds"] is None, "each takes 300 seconds"


def test_a_region_that_is_left_and_one_that_is_new(bank: RawBank) -> None:
    """P0 to P11 answered again in March, of region B: of A's 70 answers 58 count."""
    rows = bank.query(
        "select dimension_value, n_before, n_after, entry_effect <> 0, exit_effect <> 0, dimension_value_count"
        " from cx.cx_metric_moves"
        " where metric = 'nps_relationship' and dimension = 'region' and month_date = '2026-03-01'"
        " order by dimension_value"
    )
    assert rows == [
        ("(pooled)", 5, 6, False, False, 1),
        ("A", 50, 58, False, False, 1),
        ("B", 60, 52, False, False, 1),
        ("New", 0, 35, True, False, 1),
        ("Old", 40, 0, False, True, 1),
    ]


def test_a_pool_takes_in_the_smallest_other_part_before_it_tells_of_persons(bank: RawBank) -> None:
    """Three loans of February would be a pool alone, so the 57 of cards go along; the last 12 answers name none."""
    rows = bank.query(
        "select dimension_value, n_before, n_after, dimension_value_count from cx.cx_metric_moves"
        " where metric = 'nps_relationship' and dimension = 'product' and month_date = '2026-03-01'"
        " order by dimension_value"
    )
    assert rows == [("(pooled)", 60, 80, 3), ("account", 95, 71, 1)]


def test_drivers_of_a_closed_quarter(bank: RawBank) -> None:
    """The wait is found; handling is always the same, so nothing is told of it; 17 % of the answers are not linked."""
    rows = bank.query(
        "select driver, direction, is_published, n_answers, n_persons, linked_share, importance_share"
        " from cx.cx_drivers where quarter_date = '2026-01-01' order by driver"
    )
    told = {row[0]: row[1:] for row in rows}
    assert list(told) == ["handling", "repeat_contact", "transfers", "wait"]
    assert told["handling"] == (None, False, LINKED, LINKED, round(LINKED / (LINKED + 80), 6), None)
    assert told["wait"][:4] == ("down", True, LINKED, LINKED)
    assert told["wait"][5] > 0.8
    assert sum(row[6] for row in rows if row[6] is not None) == pytest.approx(1, abs=2e-6)
    [(effect, low, high, elasticity, mean)] = bank.query(
        "select effect_points, effect_low_points, effect_high_points, elasticity_at_mean, driver_mean"
        " from cx.cx_drivers where driver = 'wait' and is_published"
    )
    assert low < effect < high < 0
    assert mean == pytest.approx(3, abs=0.3)  # minutes
    [(share,)] = bank.query(
        "select avg(outcome) from cx.int_cx__driver_answers where is_linked and quarter_date = '2026-01-01'"
    )
    assert elasticity == pytest.approx(effect / 100 * mean / share, abs=1e-5)


def test_too_few_answers_are_counted_and_no_more(bank: RawBank) -> None:
    rows = bank.query(
        "select is_published, n_answers, linked_share, effect_points, importance_share, direction from cx.cx_drivers"
        " where quarter_date = '2025-10-01'"
    )
    assert rows == [(False, 0, 0.0, None, None, None)] * 4  # their calls came later


def test_what_is_known_is_not_estimated_again(bank: RawBank) -> None:
    before = bank.query("select * from raw.driver_estimates order by all")
    assert drivers.estimate(bank.settings) == {"quarters": 2, "estimated": 0, "changed": False}
    assert bank.query("select * from raw.driver_estimates order by all") == before
    bank.open(4, changed=[4])
    bank.dbt(["stg_survey_responses", *(f"int_cx__{name}" for name in LATE)], AS_OF)
    assert drivers.estimate(bank.settings) == {"quarters": 2, "estimated": 1, "changed": True}
    kept = [row for row in bank.query("select * from raw.driver_estimates order by all") if row in before]
    assert {row[1] for row in kept} == {date(2025, 10, 1)}


def test_why_says_what_it_cannot_say(bank: RawBank) -> None:
    march, empty = Period(date(2026, 3, 1), date(2026, 3, 31)), Period(date(2020, 1, 1), date(2020, 1, 31))
    for metric, before, dimension, said in (
        ("nps_relationship", march, "weather", "dimensions are segment, region, channel, touchpoint, product, tier"),
        ("complaint_count", march, "region", "no metric that is a mean"),
        ("nps_relationship", empty, "region", "nothing is counted"),
        ("fcr_share", march, "region", "is final on"),
    ):
        with pytest.raises(CannotSay, match=said):
            reasons.why(bank.settings, metric, before, march, dimension)


def test_the_command_tells_the_sum(bank: RawBank, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CX360_HOME", str(bank.settings.home))
    words = "why nps_relationship 2026-02-01..2026-02-28 2026-03-01..2026-03-31 --by region".split()
    done = CliRunner().invoke(cli.app, words)
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines[:7]] == ["region", "A", "B", "New", "Old", "(pooled)", "all"]
    change = lines[-2].split("It moved by ")[1].split(",")[0]
    assert lines[-2].endswith(f"add up to {change}.")
    low, high = map(
        float, re.match(r"Its 95 % interval is (\S+) to (\S+), if the people .* different ones", lines[-1]).groups()
    )
    assert low < float(change) < high
    assert CliRunner().invoke(cli.app, [*words[:2], "2026-02-28..2026-02-01", *words[3:]]).exit_code == 2
