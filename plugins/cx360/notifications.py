"""Notifications: alerts that opened, closed or opened again are handed to a notifier, once.

Here belongs what is to be told after a publication, and the handing over. What an alert is belongs in the model
``cx_alerts``; how a message reaches people, in the notifier, which is any class that Airflow users have for it.

What was told is in ``ops.notifications``. Late data may move an episode or undo it: what was told stays told.
"""

import importlib
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cx360 import ledger
from cx360.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

log = logging.getLogger(__name__)

#: An alert as published, with ``kind`` (opened, reopened or closed), ``event_date`` (when), ``reopening_number`` (0 of
#: the opening and its end) and the publication that shows it.
Notice = dict[str, Any]

#: What happened too long before as_of is history. Of an end only those hear who heard of a beginning. Late rows may
#: move a day, so what is told is told once per opening and reopening, not once per day.
_DUE = """
with last as (
    select publication_id, as_of from ops.publications order by publication_id desc limit 1
), events as (
    select alerts.*, kind, event_date, reopening_number, publication_id,
        as_of - told_within_days::integer as told_from
    from cx.cx_alerts as alerts
    cross join last
    cross join lateral (values
        ('opened', opened_date, 0), ('reopened', reopened_date, reopened_count), ('closed', closed_date, reopened_count)
    ) as each (kind, event_date, reopening_number)
    where event_date is not null
)
select * from events
where
    event_date >= told_from
    and (alert_id, kind, reopening_number) not in (select alert_id, kind, reopening_number from ops.notifications)
    and (
        coalesce(reopened_date, opened_date) >= told_from
        or alert_id in (select alert_id from ops.notifications where kind <> 'closed')
    )
order by event_date, alert_id, kind desc
"""


def due(session: "Session") -> list[Notice]:
    """What is to be told now, in the order it happened."""
    from sqlalchemy import text

    return [dict(row) for row in session.execute(text(_DUE)).mappings()]


def send(settings: Settings, hand: Callable[[Notice], None] | None = None) -> dict[str, int]:
    """Hand over what is due, one by one, and log each when it was taken.

    A process that dies in between tells one alert again: rather twice than never.

    Args:
        settings: of the deployment.
        hand: takes one notice; default: what ``CX360_NOTIFIER`` says.

    Returns:
        How many were told as opened, as reopened and as closed.

    Raises:
        Exception: of the notifier; what it did not take is due again.
    """
    hand = hand or _hand_to(settings)
    told = {"opened": 0, "reopened": 0, "closed": 0}
    with ledger.one_at_a_time(settings, "notify"):
        with ledger.session(settings) as session:
            notices = due(session)
        for notice in notices:
            hand(notice)
            names = ("alert_id", "kind", "reopening_number", "publication_id", "owner", "event_date")
            with ledger.session(settings) as session:
                session.add(ledger.Notification(**{name: notice[name] for name in names}))
            told[notice["kind"]] += 1
    return told


def _hand_to(settings: Settings) -> Callable[[Notice], None]:
    """The notifier of the settings, or the log.

    Raises:
        ValueError: there is no such class.
    """
    if not settings.notifier:
        return lambda notice: log.warning(
            "alert %s: %s on %s, for %s", notice["kind"], notice["alert_id"], notice["event_date"], notice["owner"]
        )
    module, _, name = settings.notifier.rpartition(".")
    try:
        notifier = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(
            f"CX360_NOTIFIER={settings.notifier} is not the full name of a class that can be imported here"
        ) from error

    def hand(notice: Notice) -> None:
        # its templates are filled in where they stand, so that each notice needs a notifier of its own
        notifier(**settings.notifier_arguments)({**_task_context(), "alert": notice, "kind": notice["kind"]})

    return hand


def _task_context() -> dict[str, Any]:
    """What Airflow tells a task; nothing outside of one."""
    from airflow.sdk import get_current_context

    try:
        return dict(get_current_context())
    except RuntimeError:
        return {}
