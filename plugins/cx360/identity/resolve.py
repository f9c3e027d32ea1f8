"""Resolve: the Python step of identity, from the evidence dbt gathered to people, households and their ids.

Here belongs the order of the strata and what the step writes. Tables it makes in schema ``identity``:

    party_groups             each record's profile and household
    party_links              every reason to take two records for one person, and what became of it
    suppressed_identifiers   identifiers of more persons than their limit, which link nobody
    identity_changes         what became of published profiles, and why
    fixed_lines              numbers people called from that ring in a home of several

Nothing is kept from run to run: groups are a function of the records, links and decisions a run knows.
"""

import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cx360 import engines
from cx360.identity import changes, decisions, fixed_lines
from cx360.identity.links import Bench, Pairs
from cx360.identity.partition import Facts, Partition
from cx360.settings import Settings

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from cx360.ledger import Decision

    Numbers = NDArray[np.int64]

#: Strata that one exact identifier makes, strongest first: its type and the rule of seed identity_rules.
_EXACT = (("document", "document"), ("phone", "phone_name"), ("email", "email_name"))

#: Weighed pairs of an outcome.
_MATCHES = "select party_id_a, party_id_b, weight_millibits from identity.match_links where outcome = '{}'"


@dataclass(frozen=True)
class Known:
    """What a run knows beside the warehouse.

    Attributes:
        decided: decisions on party records that hold.
        before: (party_id, profile_id) as readers see it; None before the first publication.
        identifier_files: files of the lake with the values of party records.
    """

    decided: "list[Decision]"
    before: "pa.Table | None" = None
    identifier_files: list[str] = field(default_factory=list)


def resolve(settings: Settings, known: Known) -> dict[str, Any]:
    """Group the party records known to this run.

    Returns:
        Counts: parties, people, largest_group, households, links by rule and outcome, suppressed_identifiers, changes
        by type, and what matching found.

    Raises:
        Contradiction: decisions cannot hold together.
    """
    from cx360 import matching

    with engines.open_warehouse(settings) as db, Bench(db) as bench:
        strata = Strata(bench, known.decided)
        for identifier_type, rule in _EXACT:
            bench.suppress(identifier_type, strata.partition.labels)
            strata.take(bench.pairs_of_rule(identifier_type, rule))
        db.write("identity.suppressed_identifiers", bench.table("select * from suppressed order by all"))
        scores = matching.score(settings, db, known.identifier_files)
        strata.take(bench.pairs_of_matches(db.query(_MATCHES.format("match"))))
        groups = _groups(bench, strata.partition.labels, settings.secret("identity"))
        db.write("identity.party_groups", groups)
        links = strata.links(db.query(_MATCHES.format("review")))
        db.write("identity.party_links", links)
        changed = changes.between(known.before, groups, links, bench.table("select * from rules"))
        db.write("identity.identity_changes", changed)
        db.write("identity.fixed_lines", fixed_lines.find(settings, db, known.identifier_files))
        return _summary(groups, links, changed, bench) | {"matching": scores.as_dict()}


class Strata:
    """People, as stratum after stratum is taken; decisions first."""

    def __init__(self, bench: Bench, decided: "list[Decision]") -> None:
        """Take what people decided.

        Raises:
            Contradiction: decisions cannot hold together.
        """
        self._bench = bench
        forced, apart = (
            [d for d in decided if d.kind == kind] for kind in (decisions.FORCE_LINK, decisions.DO_NOT_LINK)
        )
        parted = bench.put_pairs("apart", *_keys(apart))
        joined = bench.put_pairs("forced", *_keys(forced))
        size = int(bench.numbers("select count(*) from records")[0, 0])
        partition = Partition.of_singles(size, bench.facts(), parted[:2])
        self.partition, _ = partition.join(joined[0], joined[1], is_decided=True)
        if len(torn := self.partition.torn()):
            raise decisions.clash(apart[place] for place in parted[2][torn])
        self._taken = [
            bench.table("""
                select a.party_id as party_id_a, b.party_id as party_id_b, 'force_link' as rule,
                    null::varchar as identifier, null::bigint as weight_millibits, 'joined' as outcome,
                    null::varchar as reason
                from forced
                inner join records as a on a.record = record_a
                inner join records as b on b.record = record_b
                order by place""")
        ]

    def take(self, pairs: Pairs) -> None:
        """Take the pairs of one rule, tier by tier."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        stands = np.zeros(len(pairs.a), bool)
        for priority in np.unique(pairs.priority)[::-1]:
            tier = np.flatnonzero(pairs.priority == priority)
            self.partition, stands[tier] = self.partition.join(pairs.a[tier], pairs.b[tier])
        is_refused = pc.is_valid(pairs.table["refusal"]).to_numpy(zero_copy_only=False)
        outcome = np.full(len(is_refused), "refused", dtype=object)
        outcome[~is_refused] = np.where(stands, "joined", "given_up")
        given_up = pa.scalar("its group would contradict itself")
        reason = pc.if_else(pa.array(outcome == "given_up"), given_up, pairs.table["refusal"].combine_chunks())
        kept = pairs.table.select(["party_id_a", "party_id_b", "rule", "identifier", "weight_millibits"])
        kept = kept.append_column("outcome", pa.array(outcome, pa.string()))
        self._taken.append(kept.append_column("reason", reason))

    def links(self, to_review: "pa.Table") -> "pa.Table":
        """Every link and what became of it, in one order; with matches too light to join what nothing else joined."""
        import pyarrow as pa

        self._bench.put("links", pa.concat_tables(self._taken))
        self._bench.put("to_review", to_review)
        self._bench.put("labels", pa.table({"label": self.partition.labels}))
        return self._bench.table("""
            with people as (
                select r.party_id, l.label from records as r inner join labels as l on l.rowid = r.record
            )
            select * from links
            union all
            select m.party_id_a, m.party_id_b, 'match', null, m.weight_millibits, 'review', null
            from to_review as m
            inner join people as a on a.party_id = m.party_id_a
            inner join people as b on b.party_id = m.party_id_b
            where a.label <> b.label
            order by party_id_a, party_id_b, rule, identifier""")


def profile_id(key: bytes, party_id: str) -> str:
    """Id of the profile whose smallest party is ``party_id``: ``p`` and 24 hex digits, keyed."""
    return _id(key, "p", f"party:{party_id}")


def _id(key: bytes, letter: str, of: str) -> str:
    return letter + hmac.digest(key, of.encode(), "sha256").hex()[:24]


def _keys(decided: "list[Decision]") -> tuple[list[str], list[str]]:
    return [str(d.party_id_a) for d in decided], [str(d.party_id_b) for d in decided]


def _groups(bench: Bench, labels: "Numbers", key: bytes) -> "pa.Table":
    """(party_id, profile_id, own_profile_id, household_id) of every record, in order of party_id."""
    import pyarrow as pa

    parties = bench.table("select party_id from records order by record")["party_id"].combine_chunks()
    own = pa.array([profile_id(key, party) for party in parties.to_pylist()], pa.string())
    homes = _households(bench, labels)
    household = pa.array([_id(key, "h", f"household:{parties[home]}") for home in homes], pa.string())
    return pa.table(
        {
            "party_id": parties,
            "profile_id": own.take(pa.array(labels)),
            "own_profile_id": own,
            "household_id": household,
        }
    )


def _households(bench: Bench, labels: "Numbers") -> "Numbers":
    """Of each record the smallest record of its household; what more people share than the limit is none."""
    import numpy as np
    import pyarrow as pa

    bench.put("labels", pa.table({"label": labels}))
    a, b = bench.numbers("""
        with members as (
            select distinct h.household_key, l.label
            from homes as h
            inner join records as r on r.party_id = h.party_id
            inner join labels as l on l.rowid = r.record
        )
        select label, min(label) over (partition by household_key) as head
        from members
        qualify count(*) over (partition by household_key)
            <= (select max_holders from limits where identifier_type = 'household')""")
    nobody = np.zeros((2, 0), np.int64)
    return Partition(labels, Facts.none(len(labels)), nobody, nobody[0]).join(b, a)[0].labels


def _summary(groups: "pa.Table", links: "pa.Table", changed: "pa.Table", bench: Bench) -> dict[str, Any]:
    import pyarrow.compute as pc

    sizes = groups.group_by("profile_id").aggregate([("party_id", "count")])["party_id_count"]
    by_rule = links.group_by(["rule", "outcome"]).aggregate([([], "count_all")]).sort_by("rule").to_pylist()
    return {
        "parties": groups.num_rows,
        "people": len(sizes),
        "largest_group": pc.max(sizes).as_py() or 0,
        "households": pc.count_distinct(groups["household_id"]).as_py(),
        "links": {f"{row['rule']} {row['outcome']}": row["count_all"] for row in by_rule},
        "suppressed_identifiers": int(bench.numbers("select count(*) from suppressed")[0, 0]),
        "changes": {row["values"]: row["counts"] for row in changed["change_type"].value_counts().to_pylist()},
    }
