"""Metrics of a synthetic bank: windows and breakdowns are what a plain reading of the observations says."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import numpy
import pytest

from cx360 import pipeline, sample
from cx360.engines import duckdb as duckdb_engine
from cx360.settings import Settings

pytestmark = pytest.mark.slow

Row = dict[str, Any]

DIMENSIONS = ("segment", "region", "channel", "touchpoint", "product", "tier")


@pytest.fixture(scope="module")
def bank(new_home: Callable[[str], Settings]) -> Settings:
    """400 people over 130 days, published once."""
    settings = new_home("cx_metrics")
    sample.generate(400, 130, seed=5, out=settings.home / "bank")
    settings = settings.model_copy(update={"inbox": settings.home / "bank" / "inbox"})
    pipeline.run_all(settings, pipeline.Run("cx metrics"))
    return settings


def _rows(settings: Settings, sql: str) -> list[Row]:
    with duckdb_engine.connect(settings, read_only=True) as db:
        found = db.execute(sql)
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _inside(observations: list[Row], cell: Row) -> list[Row]:
    """A metric's observations of the days of a cell's window, whatever their cell."""
    first = cell["metric_date"] - timedelta(days=cell["window_days"] - 1)
    return [o for o in observations if first <= o["metric_date"] <= cell["metric_date"]]


def _is_of(cell: Row, observation: Row) -> bool:
    return all(cell[d] in ("(all)", observation[d]) for d in DIMENSIONS)


def _units(observations: list[Row], cell: Row) -> list[Row]:
    """What counts in a cell of a window: of answers the latest of a person to a question."""
    latest: dict[Any, Row] = {}
    for o in sorted(_inside(observations, cell), key=lambda o: o["metric_date"]):
        if o["is_counted"]:
            latest[(o["question_id"], o["person_key"]) if o["is_answer"] else o["observation_id"]] = o
    return [o for o in latest.values() if _is_of(cell, o)]


def _plain(observations: list[Row], cell: Row) -> Row:
    """n, persons, answers and sum of a cell of a window, answer by answer."""
    here = _units(observations, cell)
    answers = [o for o in _inside(observations, cell) if not o["is_left_out"] and _is_of(cell, o)]
    persons = {o["person_key"] for o in answers if o["is_counted"]}
    return {
        "n": len(here),
        "n_persons": len(persons),
        "n_answers": len(answers),
        "value_sum": sum(o["value"] for o in here),
    }


@pytest.mark.parametrize(
    "metric", ["nps_transactional", "csat_mean", "calls_offered", "fcr_share", "cost_to_serve_amount"]
)
def test_a_window_counts_what_a_plain_reading_counts(bank: Settings, metric: str) -> None:
    observations = _rows(bank, f"select * from cx.int_cx__observations where metric = '{metric}'")
    cells = _rows(bank, f"select * from cx.int_cx__metrics where metric = '{metric}'")
    assert {cell["window_days"] for cell in cells} == {1, 7, 28, 90}
    kinds = {cell["dimension_set"] for cell in cells}
    assert {"total", *DIMENSIONS} < kinds and len(kinds) == 10
    for cell in random.Random(7).sample(cells, 400):
        plain = _plain(observations, cell)
        if cell["window_days"] > 1 and not observations[0]["is_answer"]:
            del plain["n_persons"]  # days' persons added up, as the column says
        assert {name: cell[name] for name in plain} == plain, cell


def test_repeated_answers_are_there_and_count_once(bank: Settings) -> None:
    """Else the test above would prove little."""
    (found,) = _rows(
        bank,
        "select count(*) as n from cx.int_cx__metrics where dimension_set = 'total' and metric like 'nps%'"
        " and window_days = 90 and n < n_answers",
    )
    assert found["n"] > 0


def test_what_is_hidden_or_unreliable_is_no_figure(bank: Settings) -> None:
    for table in ("cx.cx_metrics_daily", "cx.cx_metrics_rolling"):
        told = _rows(
            bank,
            f"select * from {table} join (select metric, adds_as from seeds.cx_metric_registry) using (metric)"
            " where adds_as in ('mean', 'last')",
        )
        assert {row["is_hidden"] for row in told} == {True, False}
        for row in told:
            if row["is_hidden"]:
                assert row["numerator_sum"] is row["value"] is row["promoter_count"] is None
            if not row["is_reliable"]:  # a balance is counted, and told however few have it together
                assert row["n"] < 30 and row["value"] is row["lower_bound"] is None
            elif row["is_final"] and not row["is_hidden"]:
                assert row["value"] is not None
    assert all(row["n"] >= 5 for row in told if not row["is_hidden"] and row["n"])


def _worked_out(cells: list[Row], pair: tuple[str, str]) -> list[Row]:
    """Hidden cells that follow from the told ones of a pair, its two dimensions and the total, in one window.

    A hidden figure is an unknown, each total an equation; it follows when no solution of the equations that are left,
    all told figures being 0, has anything else there (singular value decomposition).
    """
    sets = ("total", *pair, "_and_".join(pair))
    kept = [cell for cell in cells if cell["dimension_set"] in sets]
    unknown = [cell for cell in kept if cell["is_hidden"]]
    equations = []
    for whole in kept:
        parts = [cell for cell in kept if _is_part(cell, whole, pair)]
        for by in {part["dimension_set"] for part in parts}:
            of = [part for part in parts if part["dimension_set"] == by]
            equations.append([any(cell is part for part in of) - float(cell is whole) for cell in unknown])
    if not equations or not unknown:
        return []
    _, sizes, directions = numpy.linalg.svd(numpy.array(equations, dtype=float))
    free = directions[(sizes > 1e-9).sum() :]
    return [cell for i, cell in enumerate(unknown) if not (abs(free[:, i]) > 1e-9).any()]


def _is_part(cell: Row, whole: Row, pair: tuple[str, str]) -> bool:
    """Whether a cell is of a breakdown by one dimension more, and of the values of the whole."""
    shown = [d for d in pair if whole[d] != "(all)"]
    more = [d for d in pair if cell[d] != "(all)"]
    return len(more) == len(shown) + 1 and all(cell[d] == whole[d] for d in shown)


def test_no_figure_of_few_can_be_worked_out_from_another_breakdown(bank: Settings) -> None:
    """Of windows of 28 days; at most one in a thousand, for longer chains of differences are not guarded."""
    rows = _rows(
        bank,
        "select * from cx.cx_metrics_rolling join (select metric, adds_as from seeds.cx_metric_registry) using (metric)"
        " where adds_as = 'mean' and window_days = 28 and n > 0",
    )
    windows: dict[tuple[str, date], list[Row]] = {}
    for row in rows:
        windows.setdefault((row["metric"], row["metric_date"]), []).append(row)
    few = worked_out = 0
    for key in random.Random(13).sample(sorted(windows), 250):
        for pair in (("segment", "channel"), ("channel", "product"), ("region", "channel")):
            worked_out += sum(cell["n"] < 5 for cell in _worked_out(windows[key], pair))
            few += sum(cell["n"] < 5 and all(cell[d] != "(all)" for d in pair) for cell in windows[key])
    assert few > 2000 and worked_out <= few / 1000


def test_answers_are_weighed_by_who_was_invited(bank: Settings) -> None:
    """Weights of a question and month add up to its answers; the month under way has none."""
    weighed = _rows(
        bank,
        "select a.question_id, date_trunc('month', i.business_date)::date as month,"
        " sum(w.weight) as weight, max(w.weight) as largest, count(*) as n"
        " from cx.int_cx__weights as w join cx.int_cx__answers as a using (response_id)"
        " join staging.stg_survey_invitations as i on i.invitation_id = a.invitation_id group by all",
    )
    assert weighed
    for row in weighed:
        assert float(row["weight"]) == pytest.approx(row["n"], abs=1e-4)
        assert row["month"] < date(2026, 3, 1) and row["largest"] <= 5
    shares = _rows(
        bank,
        "select n, value from cx.int_cx__metrics where metric = 'response_share_relationship'"
        " and dimension_set = 'total' and window_days = 90 and is_final",
    )
    assert shares and all(0.1 < row["value"] < 0.9 for row in shares)


TOLD = "(from cx.cx_metrics_daily union all by name from cx.cx_metrics_rolling)"


@pytest.mark.parametrize("metric", ["nps_transactional", "csat_mean"])
def test_a_weighted_figure_is_of_answers_that_all_have_a_weight(bank: Settings, metric: str) -> None:
    observations = _rows(bank, f"select * from cx.int_cx__observations where metric = '{metric}'")
    cells = _rows(bank, f"select * from {TOLD} where metric = '{metric}' and n > 0")
    told = [cell for cell in cells if cell["weighted_value"] is not None]
    assert len(told) > 20 and all(cell["effective_n"] >= 30 for cell in told)
    partly = 0
    for cell in told + random.Random(3).sample(cells, 1000):
        weights = [(o["weight"], o["value"]) for o in _units(observations, cell)]
        known = [float(weight) for weight, _ in weights if weight is not None]
        if len(known) < len(weights):
            assert cell["weighted_value"] is cell["effective_n"] is None
            partly += len(known) > 0
            continue
        assert cell["effective_n"] == pytest.approx(sum(known) ** 2 / sum(w * w for w in known), abs=1e-6)
        is_told = cell["effective_n"] >= 30 and cell["is_final"] and not cell["is_hidden"]
        assert (cell["weighted_value"] is not None) == is_told
        if is_told:
            mean = sum(float(w) * float(value) for w, value in weights) / sum(known)
            assert cell["weighted_value"] == pytest.approx(mean, abs=1e-6)
    assert partly > 50, "no cell where only some answers have a weight"


def test_the_response_rate_beside_an_nps_is_that_of_its_own_row(bank: Settings) -> None:
    asked = "response_share_transactional"
    observations = _rows(bank, f"select * from cx.int_cx__observations where metric = '{asked}'")
    keys = ("metric_date", "window_days", "dimension_set", *DIMENSIONS)
    rows = _rows(bank, f"select * from {TOLD} where metric = '{asked}'")
    own = {tuple(row[key] for key in keys): row for row in rows}
    cells = _rows(bank, f"select * from {TOLD} where metric = 'nps_transactional'")
    shown = [cell for cell in cells if cell["response_share"] is not None]
    assert len(shown) > 500
    for cell in cells:
        row = own.get(tuple(cell[key] for key in keys))
        assert cell["response_share"] == (row and row["value"])
    for cell in random.Random(5).sample(shown, 200):
        units = _units(observations, cell)
        assert len(units) >= 30
        assert cell["response_share"] == pytest.approx(float(sum(o["value"] for o in units)) / len(units), abs=1e-6)


@dataclass(frozen=True)
class _Calls:
    """Handled inbound calls, and who served how much of them: by agent and the day the call began."""

    taken: dict[tuple[str, date], list[Row]]
    served: dict[tuple[str, date], list[tuple[str, int | None]]]

    def of_window(self, cell: Row) -> tuple[list[Row], list[tuple[str, int | None]]]:
        """Calls an agent took first, and (call, seconds) of the agent's legs."""
        days = [cell["metric_date"] - timedelta(days=back) for back in range(cell["window_days"])]
        keys = [(cell["agent_id"], day) for day in days]
        return (
            [call for key in keys for call in self.taken.get(key, [])],
            [leg for key in keys for leg in self.served.get(key, [])],
        )


@pytest.fixture(scope="module")
def agents_calls(bank: Settings) -> _Calls:
    """Read plainly: a call's legs, and where it has none the call itself, unless it was passed on."""
    legs: dict[str, list[Row]] = {}
    for leg in _rows(bank, "select call_id, agent_id, handle_seconds from staging.stg_call_legs"):
        legs.setdefault(leg["call_id"], []).append(leg)
    calls = _rows(
        bank,
        "select call_id, coalesce(agent_id, '(unknown)') as agent_id, business_date, transfer_count, handle_seconds"
        " from staging.stg_call_logs where outcome = 'handled' and direction = 'inbound'",
    )
    found = _Calls({}, {})
    for call in calls:
        found.taken.setdefault((call["agent_id"], call["business_date"]), []).append(call)
        call["has_legs"] = call["call_id"] in legs
        for leg in legs.get(call["call_id"], [] if call["transfer_count"] else [call]):
            key = (leg["agent_id"], call["business_date"])
            found.served.setdefault(key, []).append((call["call_id"], leg["handle_seconds"]))
    return found


def test_an_agents_window_is_what_a_plain_reading_of_the_legs_says(bank: Settings, agents_calls: _Calls) -> None:
    cells = _rows(bank, "select * from cx.int_cx__agent_cells")
    assert {cell["window_days"] for cell in cells} == {1, 7, 28, 90}
    assert any(cell["n"] > cell["call_count"] for cell in cells), "no call came back to its agent"
    assert any(cell["n"] > cell["handled_count"] for cell in cells), "no agent was passed a call"
    for cell in random.Random(7).sample(cells, 400):
        taken, served = agents_calls.of_window(cell)
        passed_on = [call for call in taken if call["transfer_count"]]
        known = [(call, seconds) for call, seconds in served if seconds is not None]
        plain = {
            "handled_count": len(taken),
            "transferred_count": len(passed_on),
            "unsplit_count": sum(not call["has_legs"] for call in passed_on),
            "n": len(known),
            "call_count": len({call for call, _ in known}),
            "unknown_length_count": len(served) - len(known),
            "handle_seconds": sum(seconds for _, seconds in known),
        }
        assert {name: cell[name] for name in plain} == plain, cell


def test_agents_add_up_to_the_handled_calls_of_the_metrics(bank: Settings) -> None:
    """Calls in what readers see, hidden or not; before anything is hidden their seconds too, of legs that add up."""
    added = _rows(
        bank,
        "select metric_date, window_days, sum(handled_count)::int as n"
        " from cx.agent_handling group by all order by all",
    )
    told = _rows(
        bank,
        "select metric_date, window_days, n + n_left_out as n from (from cx.cx_metrics_daily union all by name"
        " from cx.cx_metrics_rolling) where metric = 'aht_seconds' and dimension_set = 'total' order by all",
    )
    assert added == told
    seconds = _rows(
        bank,
        "select metric_date, window_days, sum(handle_seconds + unsplit_seconds)::int as seconds"
        " from cx.int_cx__agent_cells group by all having sum(differing_n) = 0 order by all",
    )
    summed = _rows(
        bank,
        "select metric_date, window_days, value_sum::int as seconds from cx.int_cx__metrics"
        " where metric = 'aht_seconds' and dimension_set = 'total' order by all",
    )
    assert seconds == summed


def test_no_agents_hidden_seconds_can_be_told_from_the_others(bank: Settings, agents_calls: _Calls) -> None:
    """What is hidden of a window is of more calls than any few that are hidden, or all of it is hidden."""
    windows: dict[tuple[int, date], list[Row]] = {}
    for row in _rows(bank, "select * from cx.agent_handling"):
        windows.setdefault((row["window_days"], row["metric_date"]), []).append(row)
        assert (row["handle_seconds"] is None) == row["is_hidden"]
        assert row["is_hidden"] or not 0 < row["call_count"] < 5
        assert (row["aht_seconds"] is not None) == (row["call_count"] >= 30 and not row["is_hidden"])
    alone = shared = 0
    for rows in windows.values():
        calls = {row["agent_id"]: {call for call, _ in agents_calls.of_window(row)[1]} for row in rows}
        hidden = [calls[row["agent_id"]] for row in rows if row["is_hidden"]]
        few = [len(of_agent) for of_agent in hidden if len(of_agent) < 5]
        untold = {c["call_id"] for row in rows for c in agents_calls.of_window(row)[0] if not c["has_legs"]}
        if few and any(row["n"] for row in rows if not row["is_hidden"]):
            assert len(set().union(untold, *hidden)) > max(few)
            alone += len(few) == 1
            shared += len(set().union(*hidden)) < sum(map(len, hidden))
    assert alone and shared, "no window shows what is to be hidden"


@pytest.mark.parametrize("metric", ["wait", "handling"])
def test_a_median_is_what_numpy_says_of_the_windows_calls(bank: Settings, metric: str) -> None:
    of = {"wait": "wait_seconds", "handling": "aht_seconds"}[metric]
    observations = _rows(bank, f"select * from cx.int_cx__observations where metric = '{of}' and is_counted")
    cells = _rows(bank, f"select * from cx.int_cx__metrics where metric = '{metric}_median_seconds' and n > 0")
    assert {cell["window_days"] for cell in cells} == {1, 7, 28, 90}
    assert {cell["dimension_set"] for cell in cells} == {"total", *DIMENSIONS}
    assert {cell["n"] % 2 for cell in cells} == {0, 1}
    for cell in random.Random(11).sample(cells, 400):
        first = cell["metric_date"] - timedelta(days=cell["window_days"] - 1)
        shown = [d for d in DIMENSIONS if cell[d] != "(all)"]
        values = sorted(
            int(o["value"])
            for o in observations
            if first <= o["metric_date"] <= cell["metric_date"] and all(o[d] == cell[d] for d in shown)
        )
        assert cell["n"] == len(values) and cell["value_sum"] is None
        assert cell["value"] == numpy.median(values), cell
        bounds = (None, None)
        if len(values) >= 6:
            rank = _lower_rank(len(values))
            bounds = (values[rank - 1], values[-rank])
        assert (cell["lower_bound"], cell["upper_bound"]) == bounds, cell


def _lower_rank(n: int) -> int:
    """Rank of the lower bound of a median's interval, in whole numbers: the largest r with n + 1 - 2 r >= z sqrt(n)."""
    squared = Fraction("1.959963984540054") ** 2 * n
    return max(r for r in range(n // 2 + 1) if (n + 1 - 2 * r) ** 2 >= squared)


def test_readers_see_a_median_from_thirty_calls_and_nothing_to_add(bank: Settings) -> None:
    told = _rows(
        bank,
        f"select * from {TOLD} where metric in ('wait_median_seconds', 'handling_median_seconds')",
    )
    assert {row["is_hidden"] for row in told} == {row["is_reliable"] for row in told} == {True, False}
    for row in told:
        assert row["numerator_sum"] is None and row["is_final"]
        seen = row["is_reliable"] and not row["is_hidden"]
        assert (row["value"] is not None) == (row["lower_bound"] is not None) == seen
        if seen:
            assert row["lower_bound"] <= row["value"] <= row["upper_bound"]
    assert all(row["n"] >= 5 for row in told if not row["is_hidden"] and row["n"])


def test_medians_are_hidden_where_their_means_are(bank: Settings) -> None:
    """They are of the same calls: a cell one hides the other must not tell."""
    keys = "metric_date, window_days, dimension_set, " + ", ".join(DIMENSIONS)
    hidden = f"select {keys}, is_hidden from {TOLD}"
    mean = _rows(bank, f"{hidden} where metric = 'wait_seconds' and dimension_set not like '%_and_%' order by all")
    assert _rows(bank, f"{hidden} where metric = 'wait_median_seconds' order by all") == mean
