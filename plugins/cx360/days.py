"""Days: when a delivery day has everything it waits for, and when it is closed.

Here belongs which files a day expects, until when a night waits for them, and the closing after which the day is
built. What a delivery is belongs in ``sources``; whether its rows may be seen, in ``visibility``.

The night after a delivery day begins at midnight and waits until the cut-off. Files that come meanwhile join the day;
one that comes later joins the next night, or a rebuild that somebody asks for.
"""

from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from cx360 import sources
from cx360.settings import Settings


class NothingDelivered(LookupError):
    """There is no day to close, or none of what it waited for came."""


@dataclass(frozen=True)
class Closing:
    """What a delivery day was closed with.

    Attributes:
        day: the delivery day.
        known_at: arrival number up to which its build knows deliveries and decisions.
        missing: files that were expected and had not come, as ``source/feed``.
        blocked: arrival numbers of deliveries, of any day, that their gate keeps out until somebody decides.
    """

    day: date
    known_at: int
    missing: list[str]
    blocked: list[int]

    def as_dict(self) -> dict[str, Any]:
        """For a task's result and an asset's metadata."""
        return asdict(self) | {"day": self.day.isoformat()}


def feeds(settings: Settings) -> list[str]:
    """Feeds that a source of this deployment delivers, in the order masters before events."""
    from cx360.contracts import FEEDS

    delivered = {spec.feed for source in sources.load(settings) for spec in source.files}
    return [feed for feed in FEEDS if feed in delivered]


def is_open(settings: Settings, day: date) -> bool:
    """Whether the night after that day still waits for files."""
    cut_off = datetime.combine(
        day + timedelta(days=1), settings.cut_off, tzinfo=ZoneInfo(sources.bank(settings).timezone)
    )
    return datetime.now(UTC) < cut_off


def missing(settings: Settings, day: date, feed: str | None = None) -> list[str]:
    """Files expected for that delivery day of which none was landed, as ``source/feed``.

    A file that could not be read counts as missing: its sender may send a better one in time.

    Args:
        settings: of the deployment.
        day: the delivery day.
        feed: None for all feeds.
    """
    from sqlalchemy import select

    from cx360 import ledger

    expected = _expected(settings, day, feed)
    with ledger.session(settings) as session:
        found = session.execute(
            select(ledger.Delivery.source, ledger.Delivery.feed)
            .where(ledger.Delivery.delivery_day == day, ledger.Delivery.outcome == "landed")
            .distinct()
        )
        return sorted("/".join(each) for each in expected - {(source, name) for source, name in found})


def _expected(settings: Settings, day: date, feed: str | None = None) -> set[tuple[str, str]]:
    """Source and feed of the files that are to come for that day."""
    return {
        (source.source, spec.feed)
        for source in sources.load(settings)
        for spec in source.files
        if spec.is_expected(day) and feed in (None, spec.feed)
    }


def close(settings: Settings, run_id: str, day: date | None = None) -> Closing:
    """Close a delivery day: settle what its build knows, and write down what was missing.

    A day may be closed again; each closing is a row of ``ops.day_closings``. A day of which nothing came that was
    expected is a broken night, not a quiet day: it is not closed, and readers keep what they have.

    Args:
        settings: of the deployment.
        run_id: of the run that closes it.
        day: None for the last day anything was delivered for.

    Raises:
        NothingDelivered: nothing came of all that the day expected; or, without a day, nothing ever came.
    """
    from sqlalchemy import func, select

    from cx360 import ledger, visibility

    with ledger.session(settings) as session:
        day = day or session.scalar(select(func.max(ledger.Delivery.delivery_day)))
        if day is None:
            raise NothingDelivered(f"nothing was delivered yet: there is no complete file in {settings.inbox_folder}")
        lacking, expected = missing(settings, day), _expected(settings, day)
        if expected and len(lacking) == len(expected):
            raise NothingDelivered(
                f"nothing was delivered for {day}: expected {', '.join(lacking)} in {settings.inbox_folder}. The day is"
                " not built and readers keep what they have. When the files come:"
                f" cx360 airflow dags clear deliveries --partition-key {day} -y"
            )
        closing = Closing(
            day,
            known_at=ledger.last_number(session),
            missing=lacking,
            blocked=[number for number, _, _ in visibility.kept_out(session, settings)],
        )
        session.add(
            ledger.DayClosing(
                delivery_day=day,
                run_id=run_id,
                known_at=closing.known_at,
                missing=closing.missing,
                blocked=closing.blocked,
            )
        )
    return closing
