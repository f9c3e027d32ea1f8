"""Why a mean moved: published figures come out, and the parts add up to the change, exactly."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cx360.statistics.moves import POOLED, Part, explain

#: US deaths by race and age, Das Gupta 1993, example 5.3: people in thousands and deaths per 1,000 of them.
PEOPLE_1985 = [
    3041, 11577, 27450, 32711, 35480, 27411, 19555, 19795, 15254, 8022, 2472,
    707, 2692, 6473, 6841, 6547, 4352, 3034, 2540, 1749, 804, 236,
]  # fmt: skip
PEOPLE_1970 = [
    2968, 11484, 34614, 30992, 21983, 20314, 20928, 16897, 11339, 5720, 1315,
    535, 2162, 6120, 4781, 3096, 2718, 2363, 1767, 1149, 448, 117,
]  # fmt: skip
DEATHS_1985 = """
    9.163 0.462 0.248 0.929 1.084 1.810 4.715 12.187 27.728 64.068 157.570
    17.208 0.738 0.328 1.103 2.045 3.724 8.052 17.812 34.128 68.276 125.161"""
DEATHS_1970 = """
    18.469 0.751 0.391 1.146 1.287 2.672 6.636 15.691 34.723 79.763 176.837
    36.993 1.352 0.541 2.040 3.523 6.746 12.967 24.471 45.091 74.902 123.205"""


def of_means(**segments: tuple[int, int]) -> dict[str, Part]:
    return {name: Part(n, Fraction(n * value)) for name, (n, value) in segments.items()}


def test_without_entry_and_exit_it_is_kitagawas():
    """Das Gupta 1993, example 5.3 (US deaths 1970-1985): rate -2.2277, mix +1.5415, sum -0.6862."""
    before, after = (
        {str(i): Part(n, n * Fraction(rate)) for i, (n, rate) in enumerate(zip(people, rates.split(), strict=True))}
        for people, rates in ((PEOPLE_1970, DEATHS_1970), (PEOPLE_1985, DEATHS_1985))
    )
    moves = explain(before, after, minimum_n=1)
    rate, mix = (sum(getattr(move, effect) for move in moves.segments) for effect in ("rate", "mix"))
    assert (round(float(rate), 4), round(float(mix), 4)) == (-2.2277, 1.5415)
    assert round(float(moves.change), 4) == -0.6862
    assert all(move.entry == move.exit == 0 for move in moves.segments)


def test_segments_enter_and_leave():
    """n@NPS: A 50@40 to 40@30, B 30@0 to 40@10, D 20@-50 to none, C none to 20@60."""
    moves = explain(of_means(A=(50, 40), B=(30, 0), D=(20, -50)), of_means(A=(40, 30), B=(40, 10), C=(20, 60)), 20)
    a, b, c, d = moves.segments
    assert moves.change == 18
    assert [move.segment for move in moves.segments] == ["A", "B", "C", "D"]
    assert (a.rate, b.rate) == (Fraction("-4.5"), Fraction("3.5"))
    assert (a.mix, b.mix) == (Fraction("-1.6"), Fraction("-1.4"))
    assert (c.entry, d.exit) == (Fraction("8.2"), Fraction("13.8"))
    assert sum(move.effect for move in moves.segments) == moves.change


def test_small_segments_are_pooled_in_both_periods():
    """E has 40 answers before and 3 after, so both are in the pool, with F, that is small throughout."""
    moves = explain(of_means(A=(50, 40), E=(40, 0), F=(5, 60)), of_means(A=(50, 40), E=(3, 30), F=(5, 60)), 30)
    a, pooled = moves.segments
    assert (a.segment, pooled.segment) == ("A", POOLED)
    assert pooled.before == Part(45, Fraction(300))
    assert pooled.after == Part(8, Fraction(390))


def test_a_pool_that_would_tell_of_persons_takes_in_the_smallest_other_segment():
    """Of the second period 2 + 2 answers are small, so the 35 of C are pooled too, in both; B is larger, and kept."""
    before, after = of_means(A=(40, 10), B=(50, 20), C=(60, 5)), of_means(A=(2, 10), B=(50, 20), C=(35, 5), D=(2, 0))
    b, pooled = explain(before, after, minimum_n=30, identifying_n=5).segments
    assert (b.segment, pooled.segment) == ("B", POOLED)
    assert (pooled.before.n, pooled.after.n) == (100, 39)


@pytest.mark.parametrize(("before", "identifying_n"), [({}, 1), (of_means(A=(4, 1)), 5)], ids=["none", "four"])
def test_a_period_of_too_few_answers_explains_nothing(before, identifying_n):
    with pytest.raises(ValueError, match="no change to explain"):
        explain(before, of_means(A=(50, 1)), 30, identifying_n)


parts = st.dictionaries(
    st.sampled_from("ABCDEFGH"),
    st.builds(Part, st.integers(0, 10**6), st.fractions(-(10**8), 10**8, max_denominator=10**6)),
)


@given(before=parts, after=parts, minimum_n=st.integers(1, 50))
def test_the_effects_are_the_change_whatever_the_segments(before, after, minimum_n):
    before, after = ({k: p if p.n else Part(0, Fraction()) for k, p in period.items()} for period in (before, after))
    if not any(p.n for p in before.values()) or not any(p.n for p in after.values()):
        return
    moves = explain(before, after, minimum_n)
    assert sum(move.effect for move in moves.segments) == moves.change
    assert sum(move.before.n for move in moves.segments) == sum(part.n for part in before.values())
    assert sum(move.after.total for move in moves.segments) == sum(part.total for part in after.values())


few = st.dictionaries(st.sampled_from("ABCDE"), st.builds(Part, st.integers(0, 40), st.just(Fraction())))


@given(periods=st.tuples(few, few, few), minimum_n=st.integers(1, 30), identifying_n=st.integers(1, 10))
def test_neither_a_pool_nor_the_difference_of_two_tells_of_few_persons(periods, minimum_n, identifying_n):
    """Three periods, two moves: what is told of the middle one leaves nobody or at least identifying_n untold."""
    if any(sum(part.n for part in period.values()) < identifying_n for period in periods):
        return
    told = {}
    for (before, after), side in ((periods[:2], "after"), (periods[1:], "before")):
        moves = explain(before, after, minimum_n, identifying_n)
        n = {name: [getattr(move, name).n for move in moves.segments] for name in ("before", "after")}
        assert all(count == 0 or count >= identifying_n for counts in n.values() for count in counts)
        told |= {move.segment: getattr(move, side).n for move in moves.segments if move.segment != POOLED}
    left = sum(part.n for part in periods[1].values()) - sum(told.values())
    assert left == 0 or left >= identifying_n
