"""Decisions: what people said of two party records, and which of it holds.

Here belongs the recording of such a decision and which ones a run knows. What they do to groups is ``resolve``'s. A
decision names party keys, which are the bank's own; it never holds a person's value.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from cx360.ledger import Decision

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

FORCE_LINK, DO_NOT_LINK, WITHDRAW = "force_link", "do_not_link", "withdraw"


class Contradiction(Exception):
    """Decisions that cannot hold together; the message numbers them and says what to do."""


def standing(session: "Session", known_at: int | None = None) -> list[Decision]:
    """Decisions on party records that hold, by number.

    Args:
        session: on the ledger.
        known_at: the last decision number that counts; None for all.
    """
    from sqlalchemy import select

    known = select(Decision).where(Decision.kind.in_((FORCE_LINK, DO_NOT_LINK, WITHDRAW)))
    if known_at is not None:
        known = known.where(Decision.decision_number <= known_at)
    made = session.scalars(known.order_by(Decision.decision_number)).all()
    withdrawn = {decision.withdraws for decision in made}
    return [d for d in made if d.kind != WITHDRAW and d.decision_number not in withdrawn]


def decide(session: "Session", kind: str, one: str, other: str, reason: str, decided_by: str) -> Decision:
    """Record that two party records are one person (``force_link``) or two (``do_not_link``).

    Raises:
        ValueError: no such kind, one record only, or no reason.
        Contradiction: the opposite holds of the two, or the same already.
    """
    from cx360 import manifest

    if kind not in (FORCE_LINK, DO_NOT_LINK) or one == other or not reason.strip():
        raise ValueError("a decision is force_link or do_not_link, is about two party records, and has a reason")
    manifest.alone(session)
    smaller, larger = sorted((one, other))
    for earlier in standing(session):
        if (earlier.party_id_a, earlier.party_id_b) == (smaller, larger):
            raise Contradiction(
                f"decision {earlier.decision_number} says {earlier.kind} of these two records: it holds already, or"
                f" cx360 identity withdraw {earlier.decision_number} takes it back first"
            )
    return _record(session, Decision(kind=kind, party_id_a=smaller, party_id_b=larger, reason=reason), decided_by)


def withdraw(session: "Session", decision_number: int, reason: str, decided_by: str) -> Decision:
    """Record that a decision on party records holds no longer.

    Raises:
        ValueError: no such decision holds, or no reason.
    """
    from cx360 import manifest

    manifest.alone(session)
    if decision_number not in {decision.decision_number for decision in standing(session)} or not reason.strip():
        raise ValueError(
            f"no decision {decision_number} on party records holds, or no reason is given; cx360 identity decisions"
            " lists those that do"
        )
    return _record(session, Decision(kind=WITHDRAW, withdraws=decision_number, reason=reason), decided_by)


def clash(torn: Iterable[Decision]) -> Contradiction:
    """What to say of records that decisions part and, through other records, join."""
    numbers = ", ".join(str(decision.decision_number) for decision in torn)
    return Contradiction(
        f"decision {numbers} (do_not_link) parts records that force_link decisions join through others: withdraw one of"
        " them (cx360 identity decisions, cx360 identity withdraw NUMBER) and run profile again; readers keep what they"
        " have"
    )


def _record(session: "Session", decision: Decision, decided_by: str) -> Decision:
    decision.decided_by = decided_by
    session.add(decision)
    session.flush()
    return decision
