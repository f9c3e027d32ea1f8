"""Identity: groups of party records from links, whatever their order; contradictions; ids."""

from collections.abc import Mapping, Sequence
from itertools import combinations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from cx360 import identity

KEY = b"key of the test"

Links = Sequence[tuple[str, str, str]]
Parties = Mapping[str, tuple[str | None, str | None]]


def _parties(rows: Parties) -> pa.Table:
    """Parties from {party_id: (birth date, document)}."""
    return pa.table(
        {
            "party_id": pa.array(list(rows), pa.string()),
            "birth_date_token": pa.array([birth for birth, _ in rows.values()], pa.string()),
            "document_token": pa.array([document for _, document in rows.values()], pa.string()),
        }
    )


def _links(rows: Links) -> pa.Table:
    columns = ("party_id_a", "party_id_b", "rule")
    return pa.table({name: pa.array([row[i] for row in rows], pa.string()) for i, name in enumerate(columns)})


def _group(rows: Parties, links: Links) -> set[frozenset[str]]:
    """The groups of parties that one profile id stands for."""
    table = identity.group(_parties(rows), _links(links), KEY).table
    found: dict[str, set[str]] = {}
    for party, profile in zip(table["party_id"].to_pylist(), table["profile_id"].to_pylist(), strict=True):
        found.setdefault(profile, set()).add(party)
    assert all(identity.profile_id(KEY, min(group)) == profile for profile, group in found.items())
    return set(map(frozenset, found.values()))


def _sets(*groups: str) -> set[frozenset[str]]:
    return set(map(frozenset, groups))


def test_links_join_through_third_records_and_the_smallest_party_names_the_group() -> None:
    rows = dict.fromkeys("edcba", (None, None))
    assert _group(rows, [("b", "c", "phone_name"), ("c", "e", "email_name")]) == _sets("a", "bce", "d")


def test_an_id_is_keyed_and_does_not_show_the_party() -> None:
    one, other = identity.profile_id(b"one", "4711"), identity.profile_id(b"other", "4711")
    assert one != other
    assert one.startswith("p") and len(one) == 25 and "4711" not in one
    # printf party:4711 | openssl dgst -sha256 -hmac one
    assert one == "pe957a2b6128020aaa5b472f5"


def test_no_parties_and_no_links_are_no_profiles() -> None:
    groups = identity.group(_parties({}), _links([]), KEY)
    assert groups.table.num_rows == 0
    assert groups.summary["profiles"] == groups.summary["largest_group"] == 0


def test_two_birth_dates_in_a_group_cost_it_its_weakest_links_first() -> None:
    rows = {"a": ("k1:birth_date:1", None), "b": (None, None), "c": ("k1:birth_date:2", None), "d": (None, None)}
    links = [("a", "b", "phone_name"), ("b", "c", "email_name"), ("c", "d", "email_name")]
    # b could be either; the phone is the stronger evidence. d, linked by e-mail in the same group, goes too.
    assert _group(rows, links) == _sets("ab", "c", "d")
    assert identity.group(_parties(rows), _links(links), KEY).summary["links_given_up"] == {
        "email_name": 2,
        "phone_name": 0,
        "document": 0,
    }


def test_a_group_that_still_contradicts_itself_gives_up_every_tier() -> None:
    rows = {"a": ("k1:birth_date:1", None), "b": (None, None), "c": ("k1:birth_date:2", None)}
    assert _group(rows, [("a", "b", "phone_name"), ("b", "c", "phone_name")]) == _sets("a", "b", "c")
    assert _group(rows, [("a", "b", "document"), ("b", "c", "document")]) == _sets("a", "b", "c")


def test_two_documents_contradict_and_other_groups_keep_their_links() -> None:
    rows = {
        "a": (None, "k1:document:1"),
        "b": (None, "k1:document:2"),
        "c": (None, None),
        "d": (None, None),
    }
    assert _group(rows, [("a", "b", "phone_name"), ("c", "d", "email_name")]) == _sets("a", "b", "cd")


def test_a_value_that_could_not_be_normalised_contradicts_nothing() -> None:
    rows = {"a": ("k1:birth_date?:1", None), "b": ("k1:birth_date?:2", None), "c": ("k1:birth_date:3", None)}
    assert _group(rows, [("a", "b", "phone_name"), ("b", "c", "phone_name")]) == _sets("abc")


_PARTY_IDS = [f"{n:02d}" for n in range(12)]
_TOKENS = st.sampled_from([None, None, "1", "2"])


@given(
    rows=st.fixed_dictionaries({party: st.tuples(_TOKENS, _TOKENS) for party in _PARTY_IDS}),
    links=st.lists(
        st.tuples(st.sampled_from(list(combinations(_PARTY_IDS, 2))), st.sampled_from(identity.WEAKEST_FIRST)),
        max_size=25,
    ),
    data=st.data(),
)
def test_groups_never_contradict_themselves_and_do_not_depend_on_order(
    rows: Parties,
    links: list[tuple[tuple[str, str], str]],
    data: st.DataObject,
) -> None:
    flat = [(a, b, rule) for (a, b), rule in links]
    found = _group(rows, flat)
    assert found == _reference(rows, flat)
    for group in found:
        for column in (0, 1):
            assert len({rows[party][column] for party in group} - {None}) <= 1
    shuffled = dict(data.draw(st.permutations(list(rows.items()))))
    assert _group(shuffled, data.draw(st.permutations(flat))) == found


def _reference(rows: Parties, links: Links) -> set[frozenset[str]]:
    """The same by plain set union, one group at a time."""
    groups = _union(set(rows), links)
    for rule in identity.WEAKEST_FIRST:
        kept = []
        for group in groups:
            own = [link for link in links if link[0] in group]
            contradicts = any(len({rows[p][i] for p in group} - {None}) > 1 for i in (0, 1))
            kept += [link for link in own if not (contradicts and link[2] == rule)]
        links = [link for link in kept if any({link[0], link[1]} <= group for group in groups)]
        groups = _union(set(rows), links)
    return groups


def _union(parties: set[str], links: Links) -> set[frozenset[str]]:
    groups = {party: frozenset([party]) for party in parties}
    for a, b, _ in links:
        joined = groups[a] | groups[b]
        groups.update(dict.fromkeys(joined, joined))
    return set(groups.values())
