"""Identity: which party records are one person, from the links the models propose.

Here belongs what SQL does badly: connected components, the dropping of weak tiers, the keyed ids. Which records are
linked at all is decided in ``dbt_project/models/identity``; what an identifier means on a day, in ``identity_map``.
"""

import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cx360 import engines
from cx360.settings import Settings

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

#: Rules of a link, weakest first: the order in which a group that contradicts itself gives them up.
WEAKEST_FIRST = ("email_name", "phone_name", "document")

_PARTIES = """
    select party_id, birth_date_token, document_token
    from staging.stg_parties
    where is_current
"""
_LINKS = "select party_id_a, party_id_b, rule from identity.int_identity__party_links"


@dataclass(frozen=True)
class Groups:
    """Party records by profile.

    Attributes:
        table: Arrow (party_id text, profile_id text), in order of party_id.
        summary: counts of parties, links, profiles, the largest group, and links given up per rule.
    """

    table: "pa.Table"
    summary: dict[str, Any]


def resolve(settings: Settings) -> dict[str, Any]:
    """Group the party records known to this run and write ``identity.party_groups``.

    Returns:
        Counts: parties, links, profiles, largest_group, links_given_up.
    """
    with engines.open_warehouse(settings) as db:
        groups = group(db.query(_PARTIES), db.query(_LINKS), settings.secret("identity"))
        db.write("identity.party_groups", groups.table)
    return groups.summary


def group(parties: "pa.Table", links: "pa.Table", key: bytes) -> Groups:
    """Connected components of the links, after groups that contradict themselves gave up their weakest tiers.

    A group contradicts itself when its records carry two birth dates or two documents. It then loses all its links of
    the weakest rule and is worked again, so the result does not depend on any order.

    Args:
        parties: one row per party: party_id, birth_date_token, document_token (text, null if unknown).
        links: pairs party_id_a, party_id_b of those parties, and the rule that proposes them.
        key: secret of the profile ids.
    """
    import numpy as np
    import pyarrow.compute as pc

    parties = parties.sort_by("party_id")
    ids = parties["party_id"].combine_chunks()
    a, b = (pc.index_in(links[column], ids).to_numpy() for column in ("party_id_a", "party_id_b"))
    rules = pc.index_in(links["rule"], _array(WEAKEST_FIRST)).to_numpy()
    tokens = [_codes(parties[column]) for column in ("birth_date_token", "document_token")]
    stands = np.ones(len(rules), dtype=bool)
    labels = _components(len(ids), a, b)
    for tier in range(len(WEAKEST_FIRST)):
        contradicts = _contradicts(labels, tokens)
        stands &= ~(contradicts[labels[a]] & (rules == tier))
        labels = _components(len(ids), a[stands], b[stands])
    # Ids are sorted, so the first record of a label is the group's smallest party_id.
    firsts, of_party, sizes = _groups(labels)
    profiles = _array([profile_id(key, party) for party in ids.take(_array(firsts)).to_pylist()])
    table = _table(party_id=ids, profile_id=profiles.take(_array(of_party)))
    given_up = np.bincount(rules[~stands], minlength=len(WEAKEST_FIRST))
    return Groups(
        table,
        {
            "parties": len(ids),
            "links": len(rules),
            "profiles": len(firsts),
            "largest_group": int(sizes.max(initial=0)),
            "links_given_up": {rule: int(n) for rule, n in zip(WEAKEST_FIRST, given_up, strict=True)},
        },
    )


def profile_id(key: bytes, party_id: str) -> str:
    """Id of the profile whose smallest party is ``party_id``: ``p`` and 24 hex digits, keyed."""
    return "p" + hmac.digest(key, f"party:{party_id}".encode(), "sha256").hex()[:24]


def _components(size: int, a: "NDArray[np.int64]", b: "NDArray[np.int64]") -> "NDArray[np.int32]":
    """Label per node, from 0, of the undirected graph with edges (a, b)."""
    import numpy as np
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(a), dtype=np.int8), (a, b)), shape=(size, size))
    labels: NDArray[np.int32] = connected_components(graph, directed=False)[1]
    return labels


def _contradicts(labels: "NDArray[np.int32]", tokens: list["NDArray[np.int64]"]) -> "NDArray[np.bool_]":
    """Per label: whether some column of codes (-1 for unknown) has two different ones."""
    import numpy as np

    found = np.zeros(labels.max(initial=-1) + 1, dtype=bool)
    for codes in tokens:
        known = codes >= 0
        span = codes.max(initial=0) + 1
        pairs = np.unique(labels[known].astype(np.int64) * span + codes[known])
        found |= np.bincount(pairs // span, minlength=len(found)) > 1
    return found


def _groups(
    labels: "NDArray[np.int32]",
) -> tuple["NDArray[np.int64]", "NDArray[np.int64]", "NDArray[np.int64]"]:
    """First node of each label, position of each node's label among them, size of each."""
    import numpy as np

    _, firsts, of_node, sizes = np.unique(labels, return_index=True, return_inverse=True, return_counts=True)
    return firsts, of_node, sizes


def _codes(tokens: "pa.ChunkedArray") -> "NDArray[np.int64]":
    """A number per distinct token; -1 for null and for one that could not be normalised, which is no evidence."""
    import pyarrow as pa
    import pyarrow.compute as pc

    usable = pc.if_else(pc.match_substring(tokens, "?"), pa.scalar(None, pa.string()), tokens)
    encoded = pc.dictionary_encode(usable.combine_chunks())
    codes: NDArray[np.int64] = pc.fill_null(encoded.indices.cast(pa.int64()), -1).to_numpy()
    return codes


def _array(values: Any) -> "pa.Array":
    import pyarrow as pa

    return pa.array(list(values) if isinstance(values, tuple) else values)


def _table(**columns: "pa.Array") -> "pa.Table":
    import pyarrow as pa

    return pa.table(columns)
