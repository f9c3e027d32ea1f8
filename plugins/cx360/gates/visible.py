"""Visible: which deliveries staging may read.

Here belongs the one answer to that question, from gate results and decisions in the ledger.
"""

from sqlalchemy import text
from sqlalchemy.orm import Session

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

_VISIBLE = f"""
with {_VERDICTS},
decided as (
    select distinct on (arrival_number) arrival_number, kind
    from ops.decisions
    where kind in ('release', 'drop') and arrival_number is not null
    order by arrival_number, decision_number desc
),
judged as (
    select
        d.arrival_number, d.source, d.feed, d.delivery_day, d.delivery_name,
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
order by j.arrival_number
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


def visible_arrivals(session: Session, known_at: int | None) -> list[int]:
    """Arrival numbers staging may read, in order.

    A delivery is visible when every blocking rule of its last check passed, or its last decision is ``release``;
    never when its last decision is ``drop``, nor without a check. The files a snapshot feed's source gave for one
    delivery day are visible together or not at all.

    Args:
        session: on the ledger.
        known_at: the last arrival number that counts; None for all.
    """
    from cx360.contracts import load

    snapshots = [feed for feed, contract in load().items() if contract.delivery == "snapshot"]
    return list(session.scalars(text(_VISIBLE), {"known_at": known_at, "snapshots": snapshots}))


def pending_arrivals(session: Session, feed: str) -> list[int]:
    """Deliveries of a feed without a verdict: no check yet, or the last could not judge a blocking rule."""
    return list(session.scalars(text(_PENDING), {"feed": feed}))


def shut_arrivals(session: Session, feed: str) -> list[int]:
    """Deliveries of a feed that were checked and did not pass."""
    return list(session.scalars(text(_SHUT), {"feed": feed}))
