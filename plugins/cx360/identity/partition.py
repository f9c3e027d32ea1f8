"""Partition: records that are one person, grown by links tier by tier, strongest first.

Here belongs the algebra alone, on numbers of records: nothing of what a link or a fact is. All links of a tier are
taken at once, and what would contradict itself takes none of them, so no result depends on an order.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]
    Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Facts:
    """What speaks against a person.

    Attributes:
        record: of each proof, the record it is of.
        kind: of each proof, its kind; two values of one kind are never of one person.
        value: of each proof.
        claim: of each record, a value nobody proved, -1 for none. Two records whose claims differ are one person only
            if a link says so of just these two, never by way of a third.
    """

    record: "Numbers"
    kind: "Numbers"
    value: "Numbers"
    claim: "Numbers"

    @classmethod
    def none(cls, size: int) -> "Facts":
        """Nothing speaks against anybody."""
        import numpy as np

        nothing = np.zeros(0, np.int64)
        return cls(nothing, nothing, nothing, np.full(size, -1))


@dataclass(frozen=True)
class Partition:
    """Records by person.

    Attributes:
        labels: of each record, the smallest record of its person.
        facts: what speaks against a person.
        apart: pairs (2, n) of records that somebody decided are two people.
        linked: pairs of records some link was proposed between, taken or not, each as one number.
    """

    labels: "Numbers"
    facts: Facts
    apart: "Numbers"
    linked: "Numbers"

    @classmethod
    def of_singles(cls, size: int, facts: Facts, apart: "Numbers") -> "Partition":
        """Every record a person of its own."""
        import numpy as np

        return cls(np.arange(size), facts, apart, np.zeros(0, np.int64))

    def join(self, a: "Numbers", b: "Numbers", is_decided: bool = False) -> tuple["Partition", "Flags"]:
        """Take all links (a, b) of one tier at once.

        The links of a group that would contradict itself are all given up; each of its parts stays as it was.

        Args:
            a: records.
            b: larger records, element by element.
            is_decided: the links are a person's decisions, which no fact refutes.

        Returns:
            The partition with the links that stand, and which ones do.
        """
        import numpy as np

        ends = np.concatenate([self.labels[a], self.labels[b]])
        parts, of_end = np.unique(ends, return_inverse=True)
        group = _components(len(parts), *np.split(of_end, 2))
        known = replace(self, linked=np.union1d(self.linked, a * len(self.labels) + b))
        is_refuted = np.zeros(len(parts), bool)
        if not is_decided:
            is_refuted |= known._is_disproved(parts, group)
            is_refuted |= known._is_unfounded(parts, group)
        smallest = parts[np.unique(group, return_index=True)[1]]
        target = np.arange(len(self.labels))
        target[parts] = np.where(is_refuted[group], parts, smallest[group])
        return replace(known, labels=target[self.labels]), ~is_refuted[group[of_end[: len(a)]]]

    def torn(self) -> "Numbers":
        """Positions in ``apart`` of pairs that are one person all the same."""
        import numpy as np

        return np.flatnonzero(self.labels[self.apart[0]] == self.labels[self.apart[1]])

    def _group_of_label(self, parts: "Numbers", group: "Numbers") -> "Numbers":
        import numpy as np

        of_label = np.full(len(self.labels), -1)
        of_label[parts] = group
        return of_label

    def _is_disproved(self, parts: "Numbers", group: "Numbers") -> "Flags":
        """Per group of parts, whether decisions or proofs forbid together what none of its parts breaks alone."""
        import numpy as np

        group_of_label = self._group_of_label(parts, group)
        refuted = np.zeros(len(parts), bool)
        labels = self.labels[self.apart]
        one, other = group_of_label[labels]
        refuted[one[(one == other) & (one >= 0) & (labels[0] != labels[1])]] = True

        label = self.labels[self.facts.record]
        of = np.flatnonzero(group_of_label[label] >= 0)
        label, kind, value = label[of], self.facts.kind[of], self.facts.value[of]
        of_group, values = _distinct(group_of_label[label], kind, value)
        of_part, values_of_part = _distinct(label, kind, value)
        # A person's decision may have joined two values: only more of them than any part has is new.
        most = _largest(np.stack([group_of_label[of_part[0]], of_part[1]]), values_of_part)
        refuted[of_group[0][values > most]] = True
        return refuted

    def _is_unfounded(self, parts: "Numbers", group: "Numbers") -> "Flags":
        """Per group of parts, whether records of two parts claim different things and no link is between just them."""
        import numpy as np

        refuted, claim = np.zeros(len(parts), bool), self.facts.claim
        of_record = self._group_of_label(parts, group)[self.labels]
        record = np.flatnonzero((of_record >= 0) & (claim >= 0))
        groups, claims = _distinct(of_record[record], np.zeros(len(record), np.int64), claim[record])
        record = record[np.isin(of_record[record], groups[0][claims > 1])]
        record = record[np.argsort(of_record[record], kind="stable")]
        of_record = of_record[record]
        for step in range(1, np.unique(of_record, return_counts=True)[1].max(initial=0)):
            one, other, of = record[:-step], record[step:], of_record[step:]
            differs = (of == of_record[:-step]) & (claim[one] != claim[other])
            differs &= self.labels[one] != self.labels[other]
            one, other, of = one[differs], other[differs], of[differs]
            refuted[of[~np.isin(one * len(self.labels) + other, self.linked)]] = True
        return refuted


def _components(size: int, a: "Numbers", b: "Numbers") -> "Numbers":
    """Label per node, from 0, of the undirected graph with edges (a, b)."""
    import numpy as np
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(a), dtype=np.int8), (a, b)), shape=(size, size))
    labels: Numbers = connected_components(graph, directed=False)[1].astype(np.int64)
    return labels


def _distinct(owner: "Numbers", kind: "Numbers", value: "Numbers") -> tuple["Numbers", "Numbers"]:
    """Pairs (2, n) of owner and kind, sorted, and how many values each has."""
    import numpy as np

    rows = np.unique(np.stack([owner, kind, value]), axis=1)
    pairs, counts = np.unique(rows[:2], axis=1, return_counts=True)
    return pairs, counts


def _largest(pairs: "Numbers", counts: "Numbers") -> "Numbers":
    """Largest count of each distinct pair, in the order of the sorted pairs."""
    import numpy as np

    _, of_row = np.unique(pairs, axis=1, return_inverse=True)
    largest = np.zeros(of_row.max(initial=-1) + 1, dtype=np.int64)
    np.maximum.at(largest, of_row.ravel(), counts)
    return largest
