"""Drivers: published figures come out, a planted driver is found, and nothing is found where nothing is planted."""

from itertools import permutations

import numpy as np
import pyarrow as pa
import pytest

from cx360 import drivers as of_quarters
from cx360.statistics import drivers

#: R's data set swiss (public domain): Fertility, Agriculture, Examination, Education, Catholic, Infant.Mortality.
SWISS = np.array("""
80.2 17.0 15 12   9.96 22.2   83.1 45.1  6  9  84.84 22.2   92.5 39.7  5  5  93.40 20.2   85.8 36.5 12  7  33.77 20.3
76.9 43.5 17 15   5.16 20.6   76.1 35.3  9  7  90.57 26.6   83.8 70.2 16  7  92.85 23.6   92.4 67.8 14  8  97.16 24.9
82.4 53.3 12  7  97.67 21.0   82.9 45.2 16 13  91.38 24.4   87.1 64.5 14  6  98.61 24.5   64.1 62.0 21 12   8.52 16.5
66.9 67.5 14  7   2.27 19.1   68.9 60.7 19 12   4.43 22.7   61.7 69.3 22  5   2.82 18.7   68.3 72.6 18  2  24.20 21.2
71.7 34.0 17  8   3.30 20.0   55.7 19.4 26 28  12.11 20.2   54.3 15.2 31 20   2.15 10.8   65.1 73.0 19  9   2.84 20.0
65.5 59.8 22 10   5.23 18.0   65.0 55.1 14  3   4.52 22.4   56.6 50.9 22 12  15.14 16.7   57.4 54.1 20  6   4.20 15.3
72.5 71.2 12  1   2.40 21.0   74.2 58.1 14  8   5.23 23.8   72.0 63.5  6  3   2.56 18.0   60.5 60.8 16 10   7.72 16.3
58.3 26.8 25 19  18.46 20.9   65.4 49.5 15  8   6.10 22.5   75.5 85.9  3  2  99.71 15.1   69.3 84.9  7  6  99.68 19.8
77.3 89.7  5  2 100.00 18.3   70.5 78.2 12  6  98.96 19.4   79.4 64.9  7  3  98.22 20.2   65.0 75.9  9  9  99.06 17.8
92.2 84.6  3  3  99.46 16.3   79.3 63.1 13 13  96.83 18.1   70.4 38.4 26 12   5.62 20.3   65.7  7.7 29 11  13.79 20.5
72.7 16.7 22 13  11.22 18.9   64.4 17.6 35 32  16.92 23.0   77.6 37.6 15  7   4.97 20.0   67.6 18.7 25  7   8.65 19.5
35.0  1.2 37 53  42.34 18.0   44.7 46.6 16 29  50.43 18.2   42.8 27.7 22 29  58.33 19.3
""".split(), dtype=float).reshape(47, 6)  # fmt: skip


def r_squared(outcome: np.ndarray, regressors: np.ndarray) -> float:
    design = np.column_stack([np.ones(len(outcome)), regressors])
    left = outcome - design @ np.linalg.lstsq(design, outcome, rcond=None)[0]
    return 1 - left @ left / ((outcome - outcome.mean()) @ (outcome - outcome.mean()))


def test_importance_is_what_relaimpo_says_of_swiss():
    """R's calc.relimp(lm(Fertility ~ ., swiss), type = "lmg"), the table of Grömping 2006."""
    parts = drivers.lmg(np.cov(SWISS.T))
    assert parts.sum() == pytest.approx(0.706735001593, abs=1e-12)
    published = [0.0570912207681, 0.1711730289002, 0.2601346786244, 0.1055701503735, 0.1127659229265]
    assert parts == pytest.approx(published, abs=1e-12)


def test_importance_is_the_mean_over_all_orders():
    """The same by what it is defined as: 120 orders of the five, a regression for each step."""
    outcome, regressors = SWISS[:, 0], SWISS[:, 1:]
    gained = np.zeros(5)
    orders = list(permutations(range(5)))
    for order in orders:
        before = 0.0
        for place in range(5):
            after = r_squared(outcome, regressors[:, order[: place + 1]])
            gained[order[place]] += after - before
            before = after
    assert drivers.lmg(np.cov(SWISS.T)) == pytest.approx(gained / len(orders), abs=1e-10)


def test_importance_is_worked_out_for_ten_drivers_at_most():
    with pytest.raises(ValueError, match="at most 10"):
        drivers.lmg(np.eye(12))


def test_the_logistic_model_is_at_the_maximum_of_the_likelihood():
    from scipy.optimize import minimize

    rng = np.random.default_rng(3)
    design = np.column_stack([np.ones(300), rng.normal(size=(300, 3))])
    outcome = (rng.random(300) < 1 / (1 + np.exp(-design @ [0.3, 1, -0.5, 0]))).astype(float)
    weights = rng.integers(0, 4, 300).astype(float)

    def loss(b):
        score = design @ b
        return weights @ (np.logaddexp(0, score) - outcome * score) + drivers._RIDGE / 2 * (b[1:] @ b[1:])

    found = drivers.logistic(design, outcome, weights)
    assert found == pytest.approx(minimize(loss, np.zeros(4), tol=1e-12).x, abs=1e-5)


def test_effects_are_known_where_they_can_be_counted():
    """A driver of 0 and 1 alone: 60 of 100 say yes with it, 80 of 100 without; the effect is the difference."""
    flag = np.repeat([1.0, 0.0], 100)
    outcome = np.concatenate([np.arange(100) < 60, np.arange(100) < 80]).astype(float)
    found = drivers.estimate(outcome, flag[:, None], np.empty((200, 0)), np.arange(200), 400, 1)
    assert found.effect[0] == pytest.approx(-0.2, abs=1e-4)
    assert found.importance.tolist() == [1.0]
    assert found.elasticity[0] == pytest.approx(-0.2 * 0.5 / 0.7, abs=1e-3)
    wald = 1.96 * np.sqrt(0.6 * 0.4 / 100 + 0.8 * 0.2 / 100)
    assert found.effect_interval.high[0] - found.effect[0] == pytest.approx(wald, rel=0.15)
    again = drivers.estimate(outcome, flag[:, None], np.empty((200, 0)), np.arange(200), 400, 1)
    assert again.effect_interval.low.tolist() == found.effect_interval.low.tolist()


def test_a_person_who_answers_often_is_one_person():
    """The same answers from a tenth of the persons are less sure, by the root of ten where a person's all agree."""
    rng = np.random.default_rng(5)
    driver, mood = rng.normal(size=60), rng.random(60)
    outcome = np.repeat((mood < 1 / (1 + np.exp(-0.3 * driver))).astype(float), 10)
    nothing, person = np.empty((600, 0)), np.repeat(np.arange(60), 10)
    apart = drivers.estimate(outcome, np.repeat(driver, 10)[:, None], nothing, np.arange(600), 300, 1)
    together = drivers.estimate(outcome, np.repeat(driver, 10)[:, None], nothing, person, 300, 1)
    width = [float(e.effect_interval.high[0] - e.effect_interval.low[0]) for e in (apart, together)]
    assert width[1] / width[0] == pytest.approx(np.sqrt(10), rel=0.2)


def answers(seed: int, effect: float, n: int = 600) -> tuple[np.ndarray, ...]:
    """Simulated answer rows: outcome, (wait, its decoy, transfers, repeat), controls, persons.

    The decoy (handling) has a correlation of 0.6 with the wait and no effect; every third person answers twice, in one
    mood; topic and month move the outcome. ``effect`` is the change of log odds a minute of wait.
    """
    rng = np.random.default_rng(seed)
    persons = np.sort(rng.integers(0, n * 3 // 4, n))
    persons = np.unique(persons, return_inverse=True)[1]
    wait = rng.gamma(2.0, 1.5, n)
    decoy = 5 + 0.6 * (wait - 3) / wait.std() + 0.8 * rng.normal(size=n)
    transfers, repeat = rng.poisson(0.3, n), rng.random(n) < 0.15
    topic, month = rng.integers(0, 4, n), rng.integers(0, 3, n)
    mood = rng.normal(0, 0.5, n)[persons]
    score = 1.0 + effect * wait + 0.3 * (topic == 1) - 0.2 * (month == 2) + mood
    outcome = (rng.random(n) < 1 / (1 + np.exp(-score))).astype(float)
    controls = np.column_stack([*(topic == k for k in (1, 2, 3)), *(month == k for k in (1, 2))]).astype(float)
    return outcome, np.column_stack([wait, decoy, transfers, repeat]).astype(float), controls, persons


@pytest.mark.parametrize("is_happy", [[1], [0], [1, 0]], ids=["all are", "nobody is", "some are"])
def test_answers_that_all_agree_are_counted_and_no_more(is_happy):
    n = 60
    rows = pa.table({
        "quarter_date": ["2026-01-01"] * n,
        "is_linked": [True] * n,
        "outcome": [is_happy[i % len(is_happy)] for i in range(n)],
        "wait_seconds": [i // 2 * 7 % 90 for i in range(n)],
        "person_key": [f"P{i}" for i in range(n)],
        "month_number": [i // 20 for i in range(n)],
        **{control: ["one"] * n for control in ("segment", "channel", "product")},
    })  # fmt: skip
    figures = {"minimum_answers": 30, "known_percent": 80, "level_minimum": 10, "draws": 20, "seed": 1}
    rules = of_quarters._Rules(
        [{"driver": "wait", "column_name": "wait_seconds", "one_unit": 60}],
        {f"driver_{name}": figure for name, figure in figures.items()},
    )
    [row] = of_quarters._of_quarter(rows, rules)
    assert row["n_answers"] == n
    assert ("effect_points" in row) == (len(is_happy) > 1)


@pytest.mark.slow
def test_a_planted_driver_is_found():
    """Stated before looking: simulated answer rows, 600 each, seeds 1000-1099, a minute of wait costs 0.25 of log odds.

    In at least 95 of 100 the wait is the most important driver although a decoy goes along with it, and its interval
    lies below 0. Alpha of an interval is 5 %.
    """
    found = [drivers.estimate(*answers(seed, -0.25), draws=100, seed=seed) for seed in range(1000, 1100)]
    assert sum(int(np.argmax(each.importance)) == 0 for each in found) >= 95
    assert sum(each.effect_interval.high[0] < 0 for each in found) >= 95


@pytest.mark.slow
def test_nothing_is_found_where_nothing_is_planted():
    """Stated before looking: the same without the effect, seeds 2000-2099; 400 intervals, alpha 5 %.

    As many of them leave 0 out as the 99 % band of a binomial(400, 0.05) allows: at most 32.
    """
    from scipy.stats import binom

    found = [drivers.estimate(*answers(seed, 0.0), draws=100, seed=seed) for seed in range(2000, 2100)]
    wrong = sum(int(((e.effect_interval.low > 0) | (e.effect_interval.high < 0)).sum()) for e in found)
    assert wrong <= binom.ppf(0.995, 400, 0.05)
