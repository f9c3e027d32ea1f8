"""Moves: why a mean changed between two periods, segment by segment, adding up exactly.

Here belongs the arithmetic, in fractions, from counts and sums of each segment. A segment is any part of all, such as a
region; what a unit and a segment is belongs to the caller. The dbt model cx_metric_moves says the same in SQL for
consecutive months; a test holds the two together.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

#: Name of the segment that small ones are pooled in.
POOLED = "(pooled)"


class Part(NamedTuple):
    """What a segment is in one period: how many units, and the exact sum of what they are worth."""

    n: int
    total: Fraction


_NOBODY = Part(0, Fraction())


@dataclass(frozen=True)
class Move:
    """What one segment did to the total; effects are in the unit of the metric.

    Attributes:
        segment: its name, or POOLED.
        before: the segment in the first period.
        after: the segment in the second.
        rate: it answered otherwise.
        mix: its share among all changed, and it is not like the rest.
        entry: it is new, and not like the rest.
        exit: it is gone, and was not like the rest.
    """

    segment: str
    before: Part
    after: Part
    rate: Fraction
    mix: Fraction
    entry: Fraction
    exit: Fraction

    @property
    def effect(self) -> Fraction:
        """All of it."""
        return self.rate + self.mix + self.entry + self.exit


@dataclass(frozen=True)
class Moves:
    """The mean of both periods and what each segment did to the change; the effects add up to it, exactly."""

    value_before: Fraction
    value_after: Fraction
    segments: tuple[Move, ...]

    @property
    def change(self) -> Fraction:
        """Of the mean."""
        return self.value_after - self.value_before


def explain(before: Mapping[str, Part], after: Mapping[str, Part], minimum_n: int, identifying_n: int = 1) -> Moves:
    """Split the change of a mean into rate, mix, entry and exit effects of segments.

    With w the share of a segment, s its mean, S the mean of all and bars for the mean of both periods: rate w̄Δs, mix
    Δw(s̄ - S̄), entry w₁(s₁ - S̄), exit -w₀(s₀ - S̄).

    Source: Griliches and Regev 1995, Journal of Econometrics 65, 175-203; without entry and exit it is Kitagawa 1955,
    Journal of the American Statistical Association 50, 1168-1194.

    Args:
        before: segments of the first period.
        after: segments of the second.
        minimum_n: a segment that is there in a period with fewer units is pooled, in both periods.
        identifying_n: where the small ones of a period are fewer units together, the smallest other one is pooled with
            them. Each period is judged alone, so periods that share one pool the same of it (decision 0036).

    Returns:
        Segments by name; the pooled one last.

    Raises:
        ValueError: a period has fewer units than identifying_n, or none and so no mean.
    """
    pooled = _to_pool(before, minimum_n, identifying_n) | _to_pool(after, minimum_n, identifying_n)
    before, after = _pool(before, pooled), _pool(after, pooled)
    n_before, n_after = (sum(part.n for part in period.values()) for period in (before, after))
    if min(n_before, n_after) < max(identifying_n, 1):
        raise ValueError("too little is counted in one of the periods, so there is no change to explain")
    value_before, value_after = (
        sum((part.total for part in period.values()), Fraction()) / n
        for period, n in ((before, n_before), (after, n_after))
    )
    middle = (value_before + value_after) / 2
    return Moves(
        value_before,
        value_after,
        tuple(
            _move(name, before.get(name, _NOBODY), after.get(name, _NOBODY), (n_before, n_after), middle)
            for name in sorted({*before, *after}, key=lambda name: (name == POOLED, name))
        ),
    )


def _to_pool(period: Mapping[str, Part], minimum_n: int, identifying_n: int) -> set[str]:
    """Names of the small segments of a period, and of the smallest other where they are too few units together."""
    there = sorted((part.n, name) for name, part in period.items() if part.n)
    small = [n for n, _ in there if n < max(minimum_n, identifying_n)]
    return {name for _, name in there[: len(small) + (0 < sum(small) < identifying_n)]}


def _pool(period: Mapping[str, Part], pooled: set[str]) -> dict[str, Part]:
    kept = {name: part for name, part in period.items() if part.n and name not in pooled}
    rest = [part for name, part in period.items() if part.n and name in pooled]
    if rest:
        kept[POOLED] = Part(sum(part.n for part in rest), sum((part.total for part in rest), Fraction()))
    return kept


def _move(segment: str, before: Part, after: Part, n: tuple[int, int], middle: Fraction) -> Move:
    share_before, share_after = Fraction(before.n, n[0]), Fraction(after.n, n[1])
    rate = mix = entry = gone = Fraction()
    if before.n and after.n:
        score_before, score_after = before.total / before.n, after.total / after.n
        rate = (share_before + share_after) / 2 * (score_after - score_before)
        mix = (share_after - share_before) * ((score_before + score_after) / 2 - middle)
    elif after.n:
        entry = share_after * (after.total / after.n - middle)
    else:
        gone = -share_before * (before.total / before.n - middle)
    return Move(segment, before, after, rate, mix, entry, gone)
