"""Visibility: which deliveries staging may read.

Here belongs the one answer to that question, from gate results and decisions in the ledger.
"""

from sqlalchemy import text
from sqlalchemy.orm import Session

from cx360.contracts import load
from cx360.settings import Settings

#: The last check of each delivery decides; all results of one check carry the same time.
_VERDICTS = """
    last_check as (
        select *, max(checked_at) over (partition by arrival_number) as last_checked_at
        from ops.gate_results
        where arrival_number is not null
    ),
    verdicts as (
        select
            arrival_number,
            bool_and(level <> 'block' or outcome = 'passed') as is_passed,
            bool_or(level = 'block' and outcome = 'could not check') as is_open
        from last_check
        where checked_at = last_checked_at
        group by arrival_number
    )"""

_DECIDED = """
    decided as (
        select distinct on (arrival_number) arrival_number, kind
        from ops.decisions
        where kind in ('release', 'drop') and arrival_number is not null
            and decision_number <= coalesce(cast(:known_at as bigint), decision_number)
        order by arrival_number, decision_number desc
    )"""

_VISIBLE = f"""
with {_VERDICTS},
{_DECIDED},
judged as (
    select
        d.arrival_number, d.source, d.feed, d.delivery_day, d.delivery_name, d.content_hash,
        d.outcome = 'landed' and v.arrival_number is not null
            and coalesce(c.kind = 'release', v.is_passed) as is_let_in,
        coalesce(c.kind = 'drop', false) as is_dropped
    from ops.deliveries as d
    left join verdicts as v on v.arrival_number = d.arrival_number
    left join decided as c on c.arrival_number = d.arrival_number
    where d.arrival_number <= coalesce(cast(:known_at as bigint), d.arrival_number)
),
-- a day's files are the snapshot together: with one of them shut out, the others would end its keys
incomplete as (
    select source, feed, delivery_day
    from judged
    where feed = any(:snapshots) and not is_dropped
    group by source, feed, delivery_day, delivery_name
    having not bool_or(is_let_in)
)
select j.arrival_number
from judged as j
where j.is_let_in and not exists (
    select 1 from incomplete as i
    where i.source = j.source and i.feed = j.feed and i.delivery_day = j.delivery_day
)
-- the same bytes landed again, by a mended mapping, take the place of what was made of them before
and not exists (
    select 1 from judged as l
    where l.is_let_in and l.arrival_number > j.arrival_number and l.source = j.source and l.feed = j.feed
        and l.delivery_name = j.delivery_name and l.content_hash = j.content_hash
)
order by j.arrival_number
"""

#: What the gate and people said of each delivery; nothing lets one in that no row could be taken from.
_STANDINGS = f"""
with {_VERDICTS},
{_DECIDED}
select
    d.arrival_number,
    case
        when c.kind = 'drop' then 'dropped'
        when v.arrival_number is null then 'not yet checked'
        when c.kind = 'release' and d.outcome = 'landed' then 'released'
        when v.is_passed then 'passed'
        when v.is_open then 'could not check'
        else 'blocked'
    end
from ops.deliveries as d
left join verdicts as v on v.arrival_number = d.arrival_number
left join decided as c on c.arrival_number = d.arrival_number
"""

#: The last delivery of each name, where it may not be read and nobody said drop.
_KEPT_OUT = """
with newest as (
    select distinct on (source, feed, delivery_name) arrival_number, feed, delivery_name
    from ops.deliveries
    order by source, feed, delivery_name, arrival_number desc
)
select n.arrival_number, n.feed, n.delivery_name
from newest as n
where n.arrival_number <> all(:visible) and not exists (
    select 1 from ops.decisions as d where d.arrival_number = n.arrival_number and d.kind = 'drop'
)
order by n.arrival_number
"""

_PENDING = f"""
with {_VERDICTS}
select d.arrival_number
from ops.deliveries as d
left join verdicts as v on v.arrival_number = d.arrival_number
where d.feed = :feed and coalesce(v.is_open, true)
order by d.arrival_number
"""

_SHUT = f"""
with {_VERDICTS}
select d.arrival_number
from ops.deliveries as d
inner join verdicts as v on v.arrival_number = d.arrival_number
where d.feed = :feed and not v.is_passed
order by d.arrival_number
"""


def visible_arrivals(session: Session, settings: Settings, known_at: int | None) -> list[int]:
    """Arrival numbers staging may read, in order.

    A delivery is visible when every blocking rule of its last check passed, or its last decision is ``release``;
    never when its last decision is ``drop``, nor without a check, nor when the same bytes of that name landed again
    later. The files a snapshot feed's source gave for one
    delivery day are visible together or not at all.

    Args:
        session: on the ledger.
        settings: of the deployment, whose contracts say which feeds are snapshots.
        known_at: the last arrival number that counts, of deliveries and decisions; None for all.
    """
    snapshots = [feed for feed, contract in load(settings).items() if contract.delivery == "snapshot"]
    return list(session.scalars(text(_VISIBLE), {"known_at": known_at, "snapshots": snapshots}))


def standings(session: Session) -> dict[int, str]:
    """What the gate and people said of each delivery, by arrival number.

    One of: passed, released (by a person), blocked, dropped (by a person), not yet checked, could not check.
    """
    return {row[0]: row[1] for row in session.execute(text(_STANDINGS), {"known_at": None})}


def kept_out(session: Session, settings: Settings) -> list[tuple[int, str, str]]:
    """Deliveries that wait for somebody to do something: (arrival number, feed, file), in order of arrival."""
    visible = visible_arrivals(session, settings, None)
    return [(row[0], row[1], row[2]) for row in session.execute(text(_KEPT_OUT), {"visible": visible})]


def pending_arrivals(session: Session, feed: str) -> list[int]:
    """Deliveries of a feed without a verdict: no check yet, or the last could not judge a blocking rule."""
    return list(session.scalars(text(_PENDING), {"feed": feed}))


def shut_arrivals(session: Session, feed: str) -> list[int]:
    """Deliveries of a feed that were checked and did not pass."""
    return list(session.scalars(text(_SHUT), {"feed": feed}))
