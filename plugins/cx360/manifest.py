"""Manifest: what landing asks of the ledger and writes into it.

Here belongs the one insert that makes a landed file exist. The tables themselves are in ``ledger``.
"""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from cx360.ledger import Conservation, Decision, Delivery, Quarantine

#: Columns of a delivery that follow from bytes, mapping and contract alone.
_OF_THE_LANDING = (
    "outcome",
    "message",
    "rows_in",
    "rows_accepted",
    "rows_repeated",
    "rows_quarantined",
    "rows_suppressed",
    "event_date_min",
    "event_date_max",
    "busiest_day_rows",
)
#: Columns of a delivery that name files of the lake.
FILES = ("lake_path", "identifiers_path", "texts_path", "quarantine_path", "raw_path")
_REASON = ("reason", "row_count", "first_row", "masked_example")
_MEASURE = ("measure", "total_in", "accepted", "repeated", "quarantined", "suppressed")


@dataclass
class Made:
    """What a landing made: columns of its delivery, its quarantine by reason, its conservation by measure."""

    delivery: dict[str, Any]
    quarantine: list[dict[str, Any]] = field(default_factory=list)
    conservation: list[dict[str, Any]] = field(default_factory=list)

    @property
    def files(self) -> list[str]:
        """Files of it, below the lake."""
        return [self.delivery[name] for name in FILES if self.delivery.get(name)]


def latest_delivery(session: Session, source: str, feed: str, delivery_name: str) -> Delivery | None:
    """The last delivery of that name."""
    return session.scalars(
        select(Delivery)
        .where(Delivery.source == source, Delivery.feed == feed, Delivery.delivery_name == delivery_name)
        .order_by(Delivery.arrival_number.desc())
        .limit(1)
    ).first()


def same_landing(
    session: Session, feed: str, content_hash: str, mapping_hash: str, contract_version: str
) -> Made | None:
    """What landing made of the same bytes before, with the same mapping and contract; None if it never landed them."""
    found = session.scalars(
        select(Delivery)
        .where(
            Delivery.feed == feed,
            Delivery.outcome == "landed",
            Delivery.content_hash == content_hash,
            Delivery.mapping_hash == mapping_hash,
            Delivery.contract_version == contract_version,
        )
        .order_by(Delivery.arrival_number)
        .limit(1)
    ).first()
    return None if found is None else made_of(session, found)


def made_of(session: Session, found: Delivery) -> Made:
    """What landing made of a delivery."""
    quarantine = session.scalars(select(Quarantine).where(Quarantine.arrival_number == found.arrival_number))
    conservation = session.scalars(select(Conservation).where(Conservation.arrival_number == found.arrival_number))
    return Made(
        {name: getattr(found, name) for name in (*_OF_THE_LANDING, *FILES)},
        [{name: getattr(row, name) for name in _REASON} for row in quarantine],
        [{name: getattr(row, name) for name in _MEASURE} for row in conservation],
    )


def alone(session: Session) -> None:
    """Nobody else records a delivery or decision until this session ends.

    Numbers are given in the order of commits: a number that is seen means all smaller ones are seen.
    """
    session.execute(text("lock table ops.deliveries in share row exclusive mode"))


def record(session: Session, made: Made, **arrival: Any) -> Delivery:
    """Write a delivery with its quarantine and conservation: the only commit of a landing."""
    alone(session)
    delivery = Delivery(**arrival, **made.delivery)
    session.add(delivery)
    session.flush()
    session.add_all(Quarantine(arrival_number=delivery.arrival_number, **row) for row in made.quarantine)
    session.add_all(Conservation(arrival_number=delivery.arrival_number, **row) for row in made.conservation)
    session.flush()
    session.refresh(delivery)
    session.expunge(delivery)
    return delivery


def decide(session: Session, kind: str, arrival_number: int, reason: str, decided_by: str) -> Decision:
    """Record what a person decided of a delivery: ``release`` lets a blocked one in, ``drop`` keeps one out.

    The next run acts on it; a later decision replaces it, for runs that know it.

    Raises:
        ValueError: no such kind, no such delivery, no reason, or nothing to release.
    """
    if kind not in ("release", "drop") or not reason.strip():
        raise ValueError("a decision is release or drop, and has a reason")
    alone(session)
    delivery = session.get(Delivery, arrival_number)
    if delivery is None:
        raise ValueError(f"there is no delivery {arrival_number}; cx360 status and cx360 quarantine list name them")
    if kind == "release" and delivery.outcome != "landed":
        raise ValueError(
            f"no row could be taken from delivery {arrival_number}, so nothing to release: mend its mapping and"
            f" cx360 replay {delivery.feed} --arrival {arrival_number}, have it delivered again, or drop it"
        )
    decision = Decision(kind=kind, arrival_number=arrival_number, reason=reason, decided_by=decided_by)
    session.add(decision)
    session.flush()
    return decision
