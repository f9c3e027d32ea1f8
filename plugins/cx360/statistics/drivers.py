"""Drivers: what goes along with a yes or no, how much, and how sure that is.

Here belongs the estimation from rows that are handed in, answers by drivers. Which answers and drivers belongs to
``cx360.drivers``. Everything found is association, not cause.
"""

from dataclasses import dataclass
from math import comb

import numpy as np
from numpy.typing import NDArray

from cx360.statistics.intervals import Interval, Z

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: LMG looks at every set of drivers: 2 to the power of so many.
MOST_DRIVERS = 10

#: Precision of a prior around 0 on standardised coefficients. It is next to nothing beside 200 answers, and keeps the
#: coefficient of a control finite whose answers all agree.
_RIDGE = 1e-3

#: What a last step may be at most; what then is left to go is of the order of its square.
_TOLERANCE = 1e-5
_MOST_ITERATIONS = 50

#: Multiplications OpenBLAS does in one thread. More are split by the number of cores, which changes the last digits of
#: a sum, and on a busy machine threads wait for each other much longer than they work.
_ONE_THREAD = 2**18


@dataclass(frozen=True)
class Estimate:
    """What the drivers do together and each; arrays have one element a driver.

    Attributes:
        r_squared: share (0-1) of the variance that the controls leave which the drivers explain together.
        importance: share (0-1) of r_squared that is the driver's (LMG); they add up to 1.
        importance_interval: percentiles of the bootstrap.
        effect: average change (-1 to 1) of the chance of a yes with one unit more of the driver.
        effect_interval: effect and its standard error by bootstrap, normal.
        elasticity: percent the share of yes changes with 1 % more of the driver, at the mean of both.
    """

    r_squared: float
    importance: Floats
    importance_interval: Interval
    effect: Floats
    effect_interval: Interval
    elasticity: Floats


def lmg(covariance: Floats) -> Floats:
    """Each regressor's part of R², averaged over all orders in which regressors can be added; parts add up to R².

    Source: Lindeman, Merenda and Gold 1980; Grömping 2006, Relative importance for linear regression in R,
    Journal of Statistical Software 17(1). It is the Shapley value of R² as a game of regressors.

    Args:
        covariance: of outcome, then regressors: (…, 1 + p, 1 + p), p at most MOST_DRIVERS.

    Returns:
        Parts, (…, p); 0 where the outcome does not vary.

    Raises:
        ValueError: there are too many regressors.
    """
    p = covariance.shape[-1] - 1
    if p > MOST_DRIVERS:
        raise ValueError(f"{p} drivers: importance is worked out for at most {MOST_DRIVERS}")
    variance = covariance[..., 0, 0]
    parts = np.zeros((*covariance.shape[:-2], p))
    for members in range(1, 2**p):
        is_in = np.array([members >> j & 1 == 1 for j in range(p)])
        chosen = np.flatnonzero(is_in) + 1
        with_outcome = covariance[..., chosen, 0]
        among = covariance[..., chosen[:, None], chosen[None, :]]
        inverse = np.linalg.pinv(among, hermitian=True)
        explained = np.einsum("...i,...ij,...j->...", with_outcome, inverse, with_outcome)
        size = len(chosen)
        # this set is what the regressor makes of the set without it, and what others start from
        weight = np.where(is_in, 1 / (p * comb(p - 1, size - 1)), 0.0)
        if size < p:
            weight -= np.where(is_in, 0.0, 1 / (p * comb(p - 1, size)))
        parts += explained[..., None] * weight
    return np.divide(parts, variance[..., None], out=np.zeros_like(parts), where=variance[..., None] > 0)


def logistic(design: Floats, outcome: Floats, weights: Floats, start: Floats | None = None) -> Floats:
    """Coefficients of a logistic regression by Newton's method (iteratively reweighted least squares).

    Source: McCullagh and Nelder 1989, Generalized Linear Models, section 4.4.

    Args:
        design: (n, k), the first column 1, the others standardised.
        outcome: (n,), 0 or 1.
        weights: (n,), how often each row counts.
        start: coefficients to start from.
    """
    k = design.shape[1]
    coefficients = np.zeros(k) if start is None else start.copy()
    penalty = np.full(k, _RIDGE)
    penalty[0] = 0.0
    for _ in range(_MOST_ITERATIONS):
        chance = _chance(_scores(design, coefficients))
        gradient = np.einsum("nk,n->k", design, weights * (outcome - chance)) - penalty * coefficients
        curvature = _products(design * (weights * chance * (1 - chance))[:, None], design) + np.diag(penalty)
        step = np.linalg.solve(curvature, gradient)
        coefficients += np.clip(step, -2.0, 2.0)  # a step too far would not come back
        if np.abs(step).max() < _TOLERANCE:
            break
    return coefficients


def _chance(score: Floats) -> Floats:
    return 1 / (1 + np.exp(-np.clip(score, -30, 30)))


def _scores(design: Floats, coefficients: Floats) -> Floats:
    scores: Floats = np.einsum("nk,k->n", design, coefficients)
    return scores


def _products(left: Floats, right: Floats) -> Floats:
    """Left' right, block by block: the same to the last bit on any number of cores."""
    total = np.zeros((left.shape[1], right.shape[1]))
    rows = max(1, _ONE_THREAD // total.size)
    for begin in range(0, len(left), rows):
        total += left[begin : begin + rows].T @ right[begin : begin + rows]
    return total


def estimate(outcome: Floats, drivers: Floats, controls: Floats, persons: Ints, draws: int, seed: int) -> Estimate:
    """Importance and effect of drivers, others and controls being equal, with 95 % intervals.

    Importance is that of a linear model after the controls were taken out of outcome and drivers (Frisch and Waugh
    1933); effect is the average marginal effect of a logistic model with the controls, and for a driver that is only
    ever 0 or 1 the average change from 0 to 1. Intervals are a bootstrap over persons, all of whose answers are drawn
    together (Efron and Tibshirani 1993, chapter 8).

    Args:
        outcome: (n,), 0 or 1.
        drivers: (n, p), in units; each must vary.
        controls: (n, c), 0 or 1, without a constant.
        persons: (n,), number of the person, 0 to the number of persons - 1.
        draws: of the bootstrap.
        seed: of its random numbers.
    """
    model = _Model(outcome, drivers, controls)
    full = np.ones(len(outcome))
    coefficients = model.fit(full, None)
    effect, parts = model.effects(coefficients, full), lmg(model.covariance(full))
    rng = np.random.default_rng(seed)
    count = int(persons.max()) + 1
    drawn_effects = np.empty((draws, drivers.shape[1]))
    drawn_covariances = np.empty((draws, 1 + drivers.shape[1], 1 + drivers.shape[1]))
    for draw in range(draws):
        weights = np.bincount(rng.integers(0, count, count), minlength=count)[persons].astype(np.float64)
        drawn_effects[draw] = model.effects(model.fit(weights, coefficients), weights)
        drawn_covariances[draw] = model.covariance(weights)
    half = Z * drawn_effects.std(axis=0, ddof=1)
    shares = np.quantile(_shares(lmg(drawn_covariances)), [0.025, 0.975], axis=0)
    return Estimate(
        r_squared=float(parts.sum()),
        importance=_shares(parts),
        importance_interval=Interval(shares[0], shares[1]),
        effect=effect,
        effect_interval=Interval(effect - half, effect + half),
        elasticity=effect * drivers.mean(axis=0) / outcome.mean() if outcome.any() else np.full(len(effect), np.nan),
    )


def _shares(parts: Floats) -> Floats:
    total = parts.sum(axis=-1, keepdims=True)
    return np.divide(parts, total, out=np.zeros_like(parts), where=total > 0)


class _Model:
    """One set of answers, which draws only weight anew."""

    def __init__(self, outcome: Floats, drivers: Floats, controls: Floats) -> None:
        self._outcome = outcome
        self._drivers = drivers
        others = np.hstack([drivers, controls])
        self._scale = others.std(axis=0)
        self._scale[self._scale == 0] = 1.0
        standardised = (others - others.mean(axis=0)) / self._scale
        self._design = np.hstack([np.ones((len(outcome), 1)), standardised])
        self._is_flag = ((drivers == 0) | (drivers == 1)).all(axis=0)
        p = drivers.shape[1]
        self._linear = np.hstack(
            [np.ones((len(outcome), 1)), standardised[:, p:], outcome[:, None], standardised[:, :p]]
        )

    def fit(self, weights: Floats, start: Floats | None) -> Floats:
        return logistic(self._design, self._outcome, weights, start)

    def effects(self, coefficients: Floats, weights: Floats) -> Floats:
        """Average effect of one unit of each driver."""
        p = self._drivers.shape[1]
        score = _scores(self._design, coefficients)
        chance, per_unit = _chance(score), coefficients[1 : p + 1] / self._scale[:p]
        slopes = per_unit * np.average(chance * (1 - chance), weights=weights)
        off = score[:, None] - self._drivers * per_unit
        flags = np.average(_chance(off + per_unit) - _chance(off), axis=0, weights=weights)
        return np.where(self._is_flag, flags, slopes)

    def covariance(self, weights: Floats) -> Floats:
        """Of outcome and drivers, what the controls explain taken out."""
        products = _products(self._linear * weights[:, None], self._linear)
        at = self._linear.shape[1] - self._drivers.shape[1] - 1
        out, between, kept = products[:at, :at], products[:at, at:], products[at:, at:]
        # a value of a control that nobody drawn has would leave no inverse
        out = out + np.diag(np.full(at, 1e-9 * weights.sum()))
        explained: Floats = between.T @ np.linalg.solve(out, between)
        return kept - explained
