"""What weights against non-response mend and what they cannot, by simulation (decision 0039).

Stated before looking: 2,000 draws of 1,200 invited, half of them in each of two groups, whose true NPS is known. A 95 %
interval is right when it covers that NPS in at least 93 % of the draws.
"""

import numpy as np
import pytest

from cx360.statistics import intervals

DRAWS, INVITED = 2_000, 1_200

#: Shares of promoters, passives and detractors in either group.
GROUPS = np.array([[0.6, 0.25, 0.15], [0.2, 0.3, 0.5]])
TRUTH = 100 * float((GROUPS[:, 0] - GROUPS[:, 2]).mean())

#: Who answers: of either group, and by what they would have answered.
BY_GROUP = np.array([[0.5, 0.5, 0.5], [0.15, 0.15, 0.15]])
BY_ANSWER = np.array([[0.5, 0.4, 0.15], [0.5, 0.4, 0.15]])


def _coverage(answering: np.ndarray) -> tuple[float, float]:
    """Shares of draws whose raw and whose weighted interval cover the truth."""
    rng = np.random.default_rng(39)
    invited = INVITED // 2
    said = rng.multinomial(invited, GROUPS, size=(DRAWS, 2))
    answered = rng.binomial(said, answering)  # draw, group, kind of answer
    raw = answered.sum(axis=1)
    in_group = answered.sum(axis=2)
    # each group stands for as many as were invited in it, scaled to the answers
    weight = in_group.sum(axis=1, keepdims=True) / (2 * in_group)
    effective = (weight * in_group).sum(axis=1) ** 2 / (weight**2 * in_group).sum(axis=1)
    weighed = (weight[..., None] * answered).sum(axis=1)
    weighed *= (effective / weighed.sum(axis=1))[:, None]
    covered = []
    for counts in (raw, weighed):
        found = intervals.nps(*counts.T)
        covered.append(float(((found.low <= TRUTH) & (found.high >= TRUTH)).mean()))
    return covered[0], covered[1]


def test_weights_mend_silence_of_groups_that_are_known() -> None:
    raw, weighted = _coverage(BY_GROUP)
    assert weighted >= 0.93
    assert raw < 0.5


def test_weights_cannot_mend_silence_that_depends_on_the_answer() -> None:
    raw, weighted = _coverage(BY_ANSWER)
    assert raw < 0.5 and weighted < 0.5


def test_where_all_answer_alike_weights_change_nothing() -> None:
    raw, weighted = _coverage(np.full((2, 3), 0.3))
    assert raw == pytest.approx(weighted, abs=0.02) and weighted >= 0.93
