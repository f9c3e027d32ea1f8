"""Changes: which published profiles became one, fell apart or took another id, and why.

Here belongs the comparison of a candidate's groups with those readers see. It is told with the publication, and judged
by the gate of the candidate before; groups themselves depend on none of it.
"""

from contextlib import closing
from typing import TYPE_CHECKING

from cx360.settings import Settings
from cx360.sql import literal

if TYPE_CHECKING:
    import pyarrow as pa

#: Profiles that went into another one, or of which records went elsewhere. The one that kept its id is not told.
_CHANGES = """
with moved as (
    select b.party_id, b.profile_id as previous_profile_id, g.profile_id
    from before as b
    inner join groups as g using (party_id)
),
sized as (
    select previous_profile_id, profile_id, count(*) as party_count,
        count(*) over (partition by previous_profile_id) as parts,
        count(*) over (partition by profile_id) as previous_profiles
    from moved
    group by previous_profile_id, profile_id
),
changed as (
    select
        case when parts > 1 then 'split' when previous_profiles > 1 then 'merge' else 'renamed' end as change_type,
        previous_profile_id, profile_id, party_count
    from sized
    where previous_profile_id <> profile_id
),
-- links with an end in the part that moved; of a merge those that join, of a split those that do not
reasons as (
    select c.change_type, c.previous_profile_id, c.profile_id, l.*, a.previous_profile_id as previous_a,
        b.previous_profile_id as previous_b, ga.profile_id as profile_a, gb.profile_id as profile_b
    from links as l
    inner join groups as ga on ga.party_id = l.party_id_a
    inner join groups as gb on gb.party_id = l.party_id_b
    left join moved as a on a.party_id = l.party_id_a
    left join moved as b on b.party_id = l.party_id_b
    inner join changed as c
        on case
            when c.change_type = 'split' then l.outcome <> 'joined'
                and a.previous_profile_id = c.previous_profile_id and b.previous_profile_id = c.previous_profile_id
                and ga.profile_id <> gb.profile_id and c.profile_id in (ga.profile_id, gb.profile_id)
            else l.outcome = 'joined' and ga.profile_id = c.profile_id
                and a.previous_profile_id is distinct from b.previous_profile_id
                and c.previous_profile_id in (a.previous_profile_id, b.previous_profile_id)
        end
),
strongest as (
    select r.*
    from reasons as r
    left join rules on rules.rule = r.rule
    qualify row_number() over (
        partition by r.previous_profile_id, r.profile_id
        order by rules.priority desc nulls last, r.weight_millibits desc nulls last, r.party_id_a, r.party_id_b
    ) = 1
)
select c.change_type, c.previous_profile_id, c.profile_id, c.party_count,
    coalesce(
        case when c.change_type = 'split' then coalesce(s.reason, s.outcome) else s.rule end,
        case when c.change_type = 'renamed' then 'a record with a smaller key joined' else 'evidence is gone' end
    ) as cause,
    s.party_id_a, s.party_id_b, s.weight_millibits
from changed as c
left join strongest as s using (previous_profile_id, profile_id)
order by c.previous_profile_id, c.profile_id
"""


def published(settings: Settings) -> "pa.Table | None":
    """(party_id, profile_id) of the publication readers see; None before the first, or where its files are gone."""
    import duckdb

    from cx360 import publish

    tables = {table.full_name: table for table in publish.last_tables(settings)}
    known = tables.get("profile.customer_identifiers")
    if known is None:
        return None
    with closing(duckdb.connect(config={"autoinstall_known_extensions": False})) as db:
        return db.sql(
            f"select identifier as party_id, profile_id from read_parquet({literal(str(known.path))})"
            " where identifier_type = 'party'"
        ).to_arrow_table()


def between(before: "pa.Table | None", groups: "pa.Table", links: "pa.Table", rules: "pa.Table") -> "pa.Table":
    """What changed for profiles that were published.

    Args:
        before: (party_id, profile_id) as published; None for nothing.
        groups: (party_id, profile_id) now.
        links: as ``identity.party_links``.
        rules: (rule, priority).

    Returns:
        change_type (merge, split, renamed), previous_profile_id, profile_id, party_count, cause, and the link that
        tells it: party_id_a, party_id_b, weight_millibits.
    """
    import duckdb

    with closing(duckdb.connect(config={"autoinstall_known_extensions": False})) as db:
        db.register("before", groups.select(["party_id", "profile_id"]).slice(0, 0) if before is None else before)
        db.register("groups", groups)
        db.register("links", links)
        db.register("rules", rules)
        return db.sql(_CHANGES).to_arrow_table()
