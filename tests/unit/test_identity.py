"""Identity: the algebra of people, held to a plain reading of its rules, and what changed since a publication."""

from itertools import combinations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from cx360.identity import changes
from cx360.identity.partition import Facts, Partition
from cx360.identity.resolve import profile_id

Link = tuple[int, int, int]  # record, larger record, tier

RECORDS = range(9)
PAIRS = list(combinations(RECORDS, 2))


def _partition(
    claims: list[int] | None = None,
    proofs: list[tuple[int, int, int]] = [],  # noqa: B006
    apart: list[tuple[int, int]] = [],  # noqa: B006
    size: int = len(RECORDS),
) -> Partition:
    """Singles; proofs are (record, kind, value)."""
    record, kind, value = np.array(proofs, np.int64).reshape(-1, 3).T
    claim = np.array(claims if claims is not None else [-1] * size)
    return Partition.of_singles(size, Facts(record, kind, value, claim), np.array(apart, np.int64).reshape(-1, 2).T)


def _take(partition: Partition, links: list[Link]) -> tuple[set[frozenset[int]], set[Link]]:
    """Groups, and the links that stand, after all tiers were taken from the highest down."""
    standing: set[Link] = set()
    for tier in sorted({tier for _, _, tier in links}, reverse=True):
        a, b = np.array([link[:2] for link in links if link[2] == tier]).T
        partition, stands = partition.join(a, b)
        standing |= {(int(x), int(y), tier) for x, y, is_in in zip(a, b, stands, strict=True) if is_in}
    groups: dict[int, set[int]] = {}
    for record, label in enumerate(partition.labels.tolist()):
        groups.setdefault(label, set()).add(record)
    assert all(label == min(group) for label, group in groups.items())
    return set(map(frozenset, groups.values())), standing


def _sets(*groups: str) -> set[frozenset[int]]:
    """Groups by digits, and every other record alone."""
    named = [frozenset(map(int, group)) for group in groups]
    return {*named, *(frozenset([r]) for r in RECORDS if not any(r in group for group in named))}


def test_links_join_through_third_records_and_the_smallest_names_the_group() -> None:
    assert _take(_partition(), [(1, 2, 5), (2, 4, 3)])[0] == _sets("124")


def test_an_id_is_keyed_and_does_not_show_the_party() -> None:
    one, other = profile_id(b"one", "4711"), profile_id(b"other", "4711")
    assert one != other
    assert one.startswith("p") and len(one) == 25 and "4711" not in one
    # printf party:4711 | openssl dgst -sha256 -hmac one
    assert one == "pe957a2b6128020aaa5b472f5"


def test_nobody_is_no_group() -> None:
    partition = _partition(size=0)
    assert len(partition.join(np.zeros(0, np.int64), np.zeros(0, np.int64))[0].labels) == 0


def test_two_proofs_cost_a_group_the_links_of_the_tier_that_brings_them_together() -> None:
    proofs = [(0, 0, 1), (2, 0, 2)]
    # 1 could be either's; the stronger link has it. 3, linked by the weaker tier in the same group, stays alone too.
    assert _take(_partition(proofs=proofs), [(0, 1, 9), (1, 2, 5), (2, 3, 5)]) == (_sets("01"), {(0, 1, 9)})
    # A still weaker tier gets its chance with what is left.
    assert _take(_partition(proofs=proofs), [(0, 1, 9), (1, 2, 5), (2, 3, 1)])[0] == _sets("01", "23")


def test_proofs_of_different_kinds_and_equal_ones_do_not_contradict() -> None:
    assert _take(_partition(proofs=[(0, 0, 1), (1, 1, 2), (2, 0, 1)]), [(0, 1, 5), (1, 2, 5)])[0] == _sets("012")


def test_records_that_claim_different_things_need_a_link_of_their_own() -> None:
    father, lacking, son = 0, 1, 2
    claims = [1, -1, 2, -1, -1, -1, -1, -1, -1]
    links = [(father, lacking, 5), (lacking, son, 5)]
    assert _take(_partition(claims), links)[0] == _sets()
    assert _take(_partition(claims), [*links, (father, son, 5)])[0] == _sets("012")
    # By the stronger link the record without a birth date is the father's; then the son's stays out.
    assert _take(_partition(claims), [(father, lacking, 6), (lacking, son, 5)])[0] == _sets("01")


def test_a_link_that_was_given_up_is_remembered_when_a_weaker_tier_brings_the_one_that_lacked() -> None:
    claims = [1, 2, 1, -1, -1, -1, -1, -1, -1]
    first, second, third = 0, 1, 2
    links = [(first, third, 9), (first, second, 6)]
    assert _take(_partition(claims), links)[0] == _sets("02", "1")
    assert _take(_partition(claims), [*links, (second, third, 5)])[0] == _sets("012")


def test_a_decision_joins_what_proofs_part_and_later_links_join_the_whole() -> None:
    partition = _partition(proofs=[(0, 0, 1), (1, 0, 2), (2, 0, 2), (3, 0, 3)])
    forced, stands = partition.join(np.array([0]), np.array([1]), is_decided=True)
    assert stands.all()
    assert _take(forced, [(1, 2, 5)])[0] == _sets("012")
    assert _take(forced, [(1, 3, 5)])[0] == _sets("01")


def test_what_is_decided_apart_stays_apart_through_third_records() -> None:
    partition = _partition(apart=[(0, 2)])
    assert _take(partition, [(0, 1, 5), (1, 2, 5), (3, 4, 5)])[0] == _sets("34")
    assert _take(partition, [(0, 1, 6), (1, 2, 5)])[0] == _sets("01")
    forced, _ = partition.join(np.array([0, 1]), np.array([1, 2]), is_decided=True)
    assert forced.torn().tolist() == [0]


_CASE = st.fixed_dictionaries(
    {
        "claims": st.lists(st.sampled_from([-1, -1, 1, 2]), min_size=len(RECORDS), max_size=len(RECORDS)),
        "proofs": st.lists(
            st.tuples(st.sampled_from(RECORDS), st.sampled_from([0, 1]), st.sampled_from([1, 2])), max_size=6
        ),
        "apart": st.lists(st.sampled_from(PAIRS), max_size=3),
        "links": st.lists(st.tuples(st.sampled_from(PAIRS), st.sampled_from([1, 2, 3])), max_size=25),
    }
)


@given(case=_CASE, data=st.data())
def test_people_are_those_of_a_plain_reading_in_any_order(case: dict, data: st.DataObject) -> None:
    # A record carries one proof of a kind.
    proofs = [(record, kind, value) for (record, kind), value in {(r, k): v for r, k, v in case["proofs"]}.items()]
    links = sorted({(a, b, tier) for (a, b), tier in case["links"]})
    groups, standing = _take(_partition(case["claims"], proofs, case["apart"]), links)
    assert (groups, standing) == _reference(case["claims"], proofs, case["apart"], links)
    for group in groups:
        assert all(len({v for r, k, v in proofs if r in group and k == kind}) <= 1 for kind in (0, 1))
        assert not any({a, b} <= group for a, b in case["apart"])
    again = data.draw(st.permutations(links)), data.draw(st.permutations(proofs))
    assert _take(_partition(case["claims"], again[1], case["apart"]), again[0]) == (groups, standing)


@given(case=_CASE)
def test_what_no_link_reaches_is_not_touched(case: dict) -> None:
    """A link comes or goes: only the group connected by any candidate link is worked again."""
    proofs = [(record, kind, value) for (record, kind), value in {(r, k): v for r, k, v in case["proofs"]}.items()]
    links = sorted({(a, b, tier) for (a, b), tier in case["links"]})
    if not links:
        return
    partition = _partition(case["claims"], proofs, case["apart"])
    whole, _ = _take(partition, links)
    touched = next(group for group in _union(set(RECORDS), links) if links[0][0] in group)
    less, _ = _take(partition, links[1:])
    assert {group for group in whole if not group & touched} == {group for group in less if not group & touched}


def _reference(
    claims: list[int], proofs: list[tuple[int, int, int]], apart: list[tuple[int, int]], links: list[Link]
) -> tuple[set[frozenset[int]], set[Link]]:
    """The same by sets, one tier and one group at a time."""
    groups = {frozenset([record]) for record in RECORDS}
    standing: set[Link] = set()
    for tier in (3, 2, 1):
        own = [link for link in links if link[2] == tier]
        after: set[frozenset[int]] = set()
        for together in _union(groups, own):
            of_it = [link for link in own if link[0] in together]
            parts = [group for group in groups if group <= together]
            if _holds(parts, claims, proofs, apart, {link for link in links if link[2] >= tier}):
                after.add(together)
                standing |= set(of_it)
            else:
                after |= set(parts)
        groups = after
    return groups, standing


def _holds(
    parts: list[frozenset[int]],
    claims: list[int],
    proofs: list[tuple[int, int, int]],
    apart: list[tuple[int, int]],
    links: set[Link],
) -> bool:
    whole = frozenset().union(*parts)
    if len(parts) == 1:
        return True
    if any(len({v for r, k, v in proofs if r in whole and k == kind}) > 1 for kind in (0, 1)):
        return False
    if any({a, b} <= whole for a, b in apart):
        return False
    linked = {link[:2] for link in links}
    across = [
        pair for one, other in combinations(parts, 2) for pair in ((min(a, b), max(a, b)) for a in one for b in other)
    ]
    return all(claims[a] == claims[b] or -1 in (claims[a], claims[b]) or (a, b) in linked for a, b in across)


def _union(groups: set, links: list[Link]) -> set[frozenset[int]]:
    of = {
        record: group
        for group in (g if isinstance(g, frozenset) else frozenset([g]) for g in groups)
        for record in group
    }
    for a, b, _ in links:
        joined = of[a] | of[b]
        of.update(dict.fromkeys(joined, joined))
    return set(of.values())


def _table(**columns: list) -> pa.Table:
    return pa.table(columns)


def test_changes_name_what_merged_split_and_was_renamed_and_why() -> None:
    before = _table(party_id=list("abcdefgh"), profile_id=["A", "B", "C", "C", "E", "F", "F", "H"])
    groups = _table(party_id=[*"abcdefgh", "0"], profile_id=["A", "A", "C", "D", "E", "F", "F", "0", "0"])
    links = pa.table(
        {
            "party_id_a": ["a", "a", "c", "0"],
            "party_id_b": ["b", "b", "d", "h"],
            "rule": ["match", "phone_name", "document", "document"],
            "identifier": pa.array([None, "t", "u", "v"], pa.string()),
            "weight_millibits": pa.array([9000, None, None, None], pa.int64()),
            "outcome": ["joined", "joined", "refused", "joined"],
            "reason": pa.array([None, None, "do_not_link", None], pa.string()),
        }
    )
    rules = _table(rule=["document", "phone_name", "match"], priority=[900, 800, 0])
    found = changes.between(before, groups, links, rules).to_pylist()
    told = [(c["change_type"], c["previous_profile_id"], c["profile_id"], c["party_count"], c["cause"]) for c in found]
    assert told == [
        ("merge", "B", "A", 1, "phone_name"),
        ("split", "C", "D", 1, "do_not_link"),
        ("renamed", "H", "0", 1, "document"),
    ]
    assert (found[0]["party_id_a"], found[0]["party_id_b"]) == ("a", "b")
    assert changes.between(None, groups, links, rules).num_rows == 0
