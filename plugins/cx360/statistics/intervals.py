"""Intervals of 95 %: of NPS, shares and means, and of their changes.

Here belongs how sure a figure is. The value shown is never the middle of an interval but the plain one. Every function
works element by element on arrays, and answers NaN where there is nothing to be sure of.
"""

from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

#: Two-sided 95 % of the normal distribution.
Z = 1.959963984540054

#: Fewest units of a group that a bank's figures get an interval from, by the registry's method, as in intervals.sql.
FROM_N = {"nps": 10, "share": 1, "mean": 30}

#: What is added to promoters, passives and detractors (Rocks 2016).
_ADDED = (0.75, 1.5, 0.75)


class Interval(NamedTuple):
    """Lower and upper end, in the unit of the figure."""

    low: Floats
    high: Floats


def _floats(values: ArrayLike) -> Floats:
    return np.asarray(values, dtype=np.float64)


def _adjusted_nps(promoters: ArrayLike, passives: ArrayLike, detractors: ArrayLike) -> tuple[Floats, Floats]:
    """Score (-1 to 1) and variance of the adjusted counts; NaN without respondents."""
    p, s, d = (_floats(counted) for counted in (promoters, passives, detractors))
    n = np.where(p + s + d > 0, p + s + d + sum(_ADDED), np.nan)
    promoting, detracting = (p + _ADDED[0]) / n, (d + _ADDED[2]) / n
    score = promoting - detracting
    return score, (promoting + detracting - score**2) / n


def nps(promoters: ArrayLike, passives: ArrayLike, detractors: ArrayLike) -> Interval:
    """NPS by adjusted Wald, in points, clipped to -100 and 100.

    Source: Rocks 2016, Interval estimation for the Net Promoter Score, arXiv:1601.07235: Wald's interval after adding
    3/4 promoter, 3/2 passives and 3/4 detractor.
    """
    score, variance = _adjusted_nps(promoters, passives, detractors)
    half = Z * np.sqrt(variance)
    return Interval(100 * np.maximum(score - half, -1.0), 100 * np.minimum(score + half, 1.0))


def nps_change(
    before: tuple[ArrayLike, ArrayLike, ArrayLike], after: tuple[ArrayLike, ArrayLike, ArrayLike]
) -> Interval:
    """Change of NPS between two groups of different people, in points, clipped to -200 and 200.

    Source: the variances of ``nps`` added up, as for any difference of independent figures.

    Args:
        before: promoters, passives, detractors.
        after: the same, later.
    """
    score_before, variance_before = _adjusted_nps(*before)
    score_after, variance_after = _adjusted_nps(*after)
    change, half = score_after - score_before, Z * np.sqrt(variance_before + variance_after)
    return Interval(100 * np.maximum(change - half, -2.0), 100 * np.minimum(change + half, 2.0))


def share(counted: ArrayLike, n: ArrayLike) -> Interval:
    """A share (0-1) by Wilson's score interval.

    Source: Wilson 1927; figures in Newcombe 1998, Statistics in Medicine 17, 857-872, method 3.
    """
    n = _floats(n)
    n = np.where(n > 0, n, np.nan)
    p = _floats(counted) / n
    middle = p + Z**2 / (2 * n)
    half = Z * np.sqrt(p * (1 - p) / n + Z**2 / (4 * n**2))
    scale = 1 + Z**2 / n
    return Interval(np.maximum((middle - half) / scale, 0.0), np.minimum((middle + half) / scale, 1.0))


def share_change(
    counted_before: ArrayLike, n_before: ArrayLike, counted_after: ArrayLike, n_after: ArrayLike
) -> Interval:
    """Change of a share (-1 to 1) between two groups of different people, from the two Wilson intervals.

    Source: Newcombe 1998, Statistics in Medicine 17, 873-890, method 10.
    """
    before, after = share(counted_before, n_before), share(counted_after, n_after)
    p_before, p_after = _floats(counted_before) / _floats(n_before), _floats(counted_after) / _floats(n_after)
    change = p_after - p_before
    return Interval(
        change - np.hypot(p_after - after.low, before.high - p_before),
        change + np.hypot(after.high - p_after, p_before - before.low),
    )


def mean(n: ArrayLike, average: ArrayLike, variance: ArrayLike) -> Interval:
    """A mean by Student's t, in the unit of the mean; NaN where all answers agree, for then nothing is known of spread.

    Source: Student 1908.

    Args:
        n: answers.
        average: their mean.
        variance: their variance, divided by n - 1.
    """
    from scipy.special import stdtrit

    n, average, error = _standard_error(n, average, variance)
    half = stdtrit(n - 1, 0.975) * np.sqrt(error)
    return Interval(average - half, average + half)


def mean_change(
    before: tuple[ArrayLike, ArrayLike, ArrayLike], after: tuple[ArrayLike, ArrayLike, ArrayLike]
) -> Interval:
    """Change of a mean between two groups of different people; NaN where all answers of one of them agree.

    Source: Welch 1947, Biometrika 34, 28-35: the two variances added, and degrees of freedom that need not be whole.

    Args:
        before: answers, their mean, their variance divided by n - 1.
        after: the same, later.
    """
    from scipy.special import stdtrit

    (n_before, average_before, error_before), (n_after, average_after, error_after) = (
        _standard_error(*group) for group in (before, after)
    )
    error = error_before + error_after
    freedom = error**2 / (error_before**2 / (n_before - 1) + error_after**2 / (n_after - 1))
    change, half = average_after - average_before, stdtrit(freedom, 0.975) * np.sqrt(error)
    return Interval(change - half, change + half)


def _standard_error(n: ArrayLike, average: ArrayLike, variance: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Answers, their mean, and the square of its standard error; NaN where nothing is known of spread."""
    n, average, variance = _floats(n), _floats(average), _floats(variance)
    is_known = (n > 1) & (variance > 0)
    n = np.where(is_known, n, np.nan)
    return n, average, variance / n


class Sums(NamedTuple):
    """What the interval of a metric of one period is worked out from, whatever its method.

    Attributes:
        n: units.
        total: sum of what they are worth.
        squares: sum of the squares of that.
        promoters: of a net score, units worth most.
        detractors: those worth least.
    """

    n: int
    total: Fraction
    squares: Fraction
    promoters: int
    detractors: int


def change(method: str, before: Sums, after: Sums) -> tuple[float, float] | None:
    """Interval of the change of a metric between two groups of different people.

    Args:
        method: of the registry: nps, share or mean.
        before: sums of the first group.
        after: of the second.

    Returns:
        Lower and upper end, in the unit of the metric (points of a net score); None where one of the groups is smaller
        than FROM_N, or nothing is known of its spread.
    """
    if min(before.n, after.n) < FROM_N[method]:
        return None
    if method == "nps":
        counts = [
            (each.promoters, each.n - each.promoters - each.detractors, each.detractors) for each in (before, after)
        ]
        found = nps_change(*counts)
    elif method == "share":
        found = share_change(float(before.total), before.n, float(after.total), after.n)
    else:
        found = mean_change(_moments(before), _moments(after))
    return None if np.isnan(found.low) else (float(found.low), float(found.high))


def _moments(sums: Sums) -> tuple[float, float, float]:
    mean_value = sums.total / sums.n
    return sums.n, float(mean_value), float((sums.squares - sums.total * mean_value) / (sums.n - 1))


def effective_n(weights: ArrayLike) -> float:
    """How many equal answers weighted ones are worth: (sum of w)² / sum of w²; 0 without any.

    Source: Kish 1965, Survey Sampling.
    """
    w = _floats(weights)
    return float(w.sum() ** 2 / (w @ w)) if w.any() else 0.0
