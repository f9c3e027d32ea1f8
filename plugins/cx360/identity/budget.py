"""Budget: how much identity a run changes, beside what was published.

Here belongs the counting, and what is kept of it in ``ops.identity_runs``. How much is too much is written in
``expectations/candidate/identity.json``, and judged by the gate of the candidate.
"""

from datetime import date
from typing import TYPE_CHECKING, Any

from cx360.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from cx360.engines import Warehouse

#: Below so many, a share says little.
_FEW = 1000

#: Numbers of one candidate; the names of columns of ``ops.identity_runs``.
_COUNTS = {
    "parties": "select count(*) from identity.party_groups",
    "people": "select count(distinct profile_id) from identity.party_groups",
    "prospects": "select count(*) from identity.int_identity__prospects",
    "largest_person_records": """
        select coalesce(max(n), 0)
        from (select count(*) as n from identity.party_groups group by profile_id) as sizes""",
    "merged": "select count(*) from identity.identity_changes where change_type = 'merge'",
    "split": "select count(*) from identity.identity_changes where change_type = 'split'",
    "renamed": "select count(*) from identity.identity_changes where change_type = 'renamed'",
    "open_identifiers": "select count(*) from (select distinct identifier_type, identifier"
    " from identity.int_identity__ambiguous) as found",
    "suppressed_identifiers": "select count(*) from identity.suppressed_identifiers",
    "review_links": "select count(*) from identity.party_links where outcome in ('review', 'refused')",
}

#: Causes of changes, the identifier most of them share, and how many.
_CAUSES = """
with told as (
    select c.change_type, c.cause, l.identifier
    from identity.identity_changes as c
    left join identity.party_links as l
        on l.party_id_a = c.party_id_a and l.party_id_b = c.party_id_b and l.rule = c.cause
),
counted as (
    select change_type, cause, identifier, count(*) as n, sum(count(*)) over (partition by change_type, cause) as total
    from told
    group by change_type, cause, identifier
),
ranked as (
    select *, row_number() over (
        partition by change_type, cause order by case when identifier is null then 0 else n end desc, identifier
    ) as place
    from counted
)
select change_type, cause, cast(total as bigint) as total, identifier, n
from ranked
where place = 1
order by change_type, total desc, cause
"""

#: The person with most records, one of these records, and what most of their links rest on.
_LARGEST = """
with largest as (
    select profile_id, count(*) as n, min(party_id) as party_id
    from identity.party_groups
    group by profile_id
    order by n desc, profile_id
    limit 1
)
select s.n, s.party_id, l.rule, l.identifier, count(l.rule) as links
from largest as s
join identity.party_groups as g on g.profile_id = s.profile_id
left join identity.party_links as l on l.party_id_a = g.party_id and l.outcome = 'joined'
group by s.n, s.party_id, l.rule, l.identifier
order by case when l.identifier is null then 1 else 0 end, links desc, l.rule, l.identifier
limit 1
"""


def measure(db: "Warehouse") -> dict[str, int]:
    """Numbers of the candidate in the warehouse."""
    return {name: int(db.query(sql)[0][0].as_py()) for name, sql in _COUNTS.items()}


def shares(settings: Settings, measured: dict[str, int], as_of: date) -> dict[str, float | None]:
    """What the gate judges, beside the last publication for this day or an earlier one; None where there was none.

    Shares are of the people published then, of at least a thousand: in a small bank one merge is no alarm.
    """
    before = _published(settings, as_of)
    changed = {f"{name}_profile_share": measured[name] for name in ("merged", "split", "renamed")}
    still_open = before["open_identifiers"] if before else 0
    return {
        **{name: n / max(before["people"], _FEW) if before else None for name, n in changed.items()},
        "open_identifiers_growth": measured["open_identifiers"] / max(still_open, _FEW) if before else None,
        "largest_person_records": float(measured["largest_person_records"]),
    }


def causes(db: "Warehouse") -> dict[str, str]:
    """Why profiles changed, in words, by type of change, and what ``largest`` is; tokens, never values."""
    told: dict[str, list[str]] = {}
    for row in db.query(_CAUSES).to_pylist():
        by = f"{row['total']} by {row['cause']}"
        if row["identifier"] is not None and row["n"] > 1:
            by += f", {row['n']} of them over {row['identifier']}"
        told.setdefault(row["change_type"], []).append(by)
    for row in db.query(_LARGEST).to_pylist():
        by = f", {row['links']} of their links by {row['rule']}" if row["links"] else ""
        over = f" over {row['identifier']}" if row["identifier"] is not None else ""
        told["largest"] = [f"{row['n']} records such as {row['party_id']}{by}{over}"]
    return {change: "; ".join(each) for change, each in told.items()}


def record(session: "Session", run_id: str, measured: dict[str, int]) -> None:
    """Keep a run's numbers."""
    from cx360.ledger import IdentityRun

    session.add(IdentityRun(run_id=run_id, **measured))


def _published(settings: Settings, as_of: date) -> dict[str, Any] | None:
    """Numbers of the run that was last published for a day, or an earlier one."""
    from sqlalchemy import select

    from cx360 import ledger
    from cx360.ledger import IdentityRun, Publication

    with ledger.session(settings) as session:
        found = session.execute(
            select(IdentityRun.people, IdentityRun.open_identifiers)
            .join(Publication, Publication.run_id == IdentityRun.run_id)
            .where(Publication.as_of <= as_of)
            .order_by(
                Publication.as_of.desc(), Publication.publication_id.desc(), IdentityRun.identity_run_number.desc()
            )
            .limit(1)
        ).first()
    return dict(found._mapping) if found else None
