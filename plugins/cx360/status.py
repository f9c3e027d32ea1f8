"""Status: where each feed stands, what readers see, and what waits for somebody.

Here belongs what the ledger says, put together for a person. Whether the machinery is sound is ``doctor``'s to say.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cx360 import screen, sources, visibility
from cx360.contracts import FEEDS
from cx360.settings import Settings
from cx360.sources import FileSpec

if TYPE_CHECKING:
    from rich.console import Console
    from sqlalchemy.orm import Session

    from cx360.ledger import Delivery

_HEADINGS = (
    "feed",
    "source",
    "last day",
    "file",
    "delivery",
    "landed (UTC)",
    "rows in",
    "accepted",
    "quarantined",
    "last date",
    "behind",
    "gate",
    "missing",
)


@dataclass(frozen=True)
class FeedStatus:
    """A feed of one source: its last delivery, and how old what it says is.

    Attributes:
        source: that delivers it; None when none does.
        last_date: latest business date of the deliveries that may be read.
        days_behind: behind the latest such date of any feed.
        gate: passed, released, blocked, dropped, not yet checked or could not check.
        missing: what did not come, in a person's words.
    """

    feed: str
    source: str | None
    delivery_day: date | None = None
    delivery_name: str | None = None
    arrival_number: int | None = None
    landed_at: datetime | None = None
    rows_in: int | None = None
    rows_accepted: int | None = None
    rows_quarantined: int | None = None
    last_date: date | None = None
    days_behind: int | None = None
    gate: str | None = None
    missing: str | None = None


@dataclass(frozen=True)
class ClosingStatus:
    """The delivery day that was closed last; ``missing`` are files that were expected and had not come."""

    delivery_day: date
    closed_at: datetime
    missing: list[str]
    blocked: list[int]


@dataclass(frozen=True)
class PublicationStatus:
    """A publication; ``is_kept`` says whether readers can be brought back to it."""

    publication_id: int
    as_of: date
    known_at: int
    published_at: datetime
    run_id: str
    rows: int
    parquet_path: str
    is_kept: bool


@dataclass(frozen=True)
class KeptOut:
    """A delivery that is not read, and what to do."""

    arrival_number: int
    feed: str
    delivery_name: str
    why: str
    next: str


@dataclass(frozen=True)
class Status:
    """All there is to say; ``notes`` are what could not be found out."""

    home: str
    feeds: list[FeedStatus] = field(default_factory=list)
    closing: ClosingStatus | None = None
    publication: PublicationStatus | None = None
    kept_out: list[KeptOut] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def gather(settings: Settings) -> Status:
    """What the ledger says; starts the embedded server when it is down.

    Raises:
        postgres.PostgresError: the server does not start.
    """
    from sqlalchemy import select

    from cx360 import ledger
    from cx360.ledger import Delivery

    home = str(settings.home)
    if settings.database_url is None and not (settings.home / "postgres").exists():
        return Status(home, notes=["nothing was landed here yet: `make run`, or set CX360_HOME to another home"])
    delivered, notes = _delivered(settings)
    with ledger.session(settings) as session:
        every = session.scalars(select(Delivery).order_by(Delivery.arrival_number)).all()
        return Status(
            home,
            _feeds(session, settings, delivered, list(every)),
            _closing(session),
            next(iter(publications(session, settings)), None),
            kept_out(session, settings),
            notes,
        )


def _delivered(settings: Settings) -> tuple[dict[tuple[str, str], list[FileSpec]], list[str]]:
    """How sources deliver their feeds, by feed and source, as far as these can be read."""
    found: dict[tuple[str, str], list[FileSpec]] = {}
    try:
        for source in sources.load(settings):
            for spec in source.files:
                found.setdefault((spec.feed, source.source), []).append(spec)
    except sources.SourceError as error:
        return {}, [f"which feeds are expected is not known: {error}"]
    return found, []


def _closing(session: "Session") -> ClosingStatus | None:
    """The last closing of a delivery day."""
    from sqlalchemy import select

    from cx360.ledger import DayClosing

    last = session.scalars(select(DayClosing).order_by(DayClosing.closing_number.desc()).limit(1)).first()
    return None if last is None else ClosingStatus(last.delivery_day, last.closed_at, last.missing, last.blocked)


def _feeds(
    session: "Session",
    settings: Settings,
    delivered: dict[tuple[str, str], list[FileSpec]],
    every: "list[Delivery]",
) -> list[FeedStatus]:
    visible, standings = set(visibility.visible_arrivals(session, settings, None)), visibility.standings(session)
    dates: dict[tuple[str, str], date] = {}
    last: dict[tuple[str, str], Delivery] = {}
    for delivery in every:
        key = (delivery.feed, delivery.source)
        if key not in last or last[key].delivery_day <= delivery.delivery_day:
            last[key] = delivery
        if delivery.arrival_number in visible and delivery.event_date_max is not None:
            latest = min(delivery.event_date_max, delivery.delivery_day)  # a later one is wrong
            dates[key] = max(dates.get(key, latest), latest)
    newest_date = max(dates.values(), default=None)
    newest_day = max((delivery.delivery_day for delivery in last.values()), default=None)
    found = []
    for feed in FEEDS:
        known = sorted(source for name, source in set(delivered) | set(last) if name == feed)
        if not known:
            found.append(FeedStatus(feed, None, missing="no source delivers it"))
        for source in known:
            if (feed, source) not in last:
                found.append(FeedStatus(feed, source, missing="never came"))
                continue
            delivery, day = last[feed, source], dates.get((feed, source))
            is_late = False
            if newest_day is not None and delivery.delivery_day < newest_day:
                is_late = any(spec.is_expected(newest_day) for spec in delivered.get((feed, source), ()))
            found.append(
                FeedStatus(
                    feed,
                    source,
                    delivery.delivery_day,
                    delivery.delivery_name,
                    delivery.arrival_number,
                    delivery.landed_at,
                    delivery.rows_in,
                    delivery.rows_accepted,
                    delivery.rows_quarantined,
                    day,
                    (newest_date - day).days if newest_date and day else None,
                    standings[delivery.arrival_number],
                    f"nothing for {newest_day}" if is_late else None,
                )
            )
    return found


def publications(session: "Session", settings: Settings) -> list[PublicationStatus]:
    """Publications, the one readers see first."""
    from sqlalchemy import select

    from cx360 import publish
    from cx360.ledger import Publication

    every = session.scalars(select(Publication).order_by(Publication.publication_id.desc()))
    kept: dict[str, bool] = {}
    found = []
    for each in every:
        if each.parquet_path not in kept:
            kept[each.parquet_path] = bool(publish.read_tables(settings, each.parquet_path))
        found.append(
            PublicationStatus(
                each.publication_id,
                each.as_of,
                each.known_at,
                each.published_at,
                each.run_id,
                sum(each.table_rows.values()),
                each.parquet_path,
                kept[each.parquet_path],
            )
        )
    return found


def kept_out(session: "Session", settings: Settings) -> list[KeptOut]:
    """Deliveries that are not read and nobody dropped, newest first."""
    from cx360 import quarantine
    from cx360.ledger import Delivery

    found, standings = [], visibility.standings(session)
    for arrival_number, feed, name in visibility.kept_out(session, settings):
        blocking = [rule.rule for rule in quarantine.last_check(session, arrival_number) if rule.blocks]
        if session.get_one(Delivery, arrival_number).outcome == "unreadable":
            why = "no row could be taken from it"
        elif blocking:
            why = f"rule {', '.join(blocking)}"
        elif standings[arrival_number] == "passed":
            why = "another file of its snapshot is kept out"
        else:
            why = "not yet checked: run deliveries again"
        found.append(KeptOut(arrival_number, feed, name, why, f"cx360 quarantine show {arrival_number}"))
    return found[::-1]


def show(status: Status, console: "Console") -> None:
    """Print it as tables."""
    console.print(f"Home {status.home}", style="dim", soft_wrap=True)
    if status.feeds:
        console.print(screen.table(_HEADINGS, [_row(feed) for feed in status.feeds]))
    if status.closing:
        closed = status.closing
        lacking = f"[yellow]without {', '.join(closed.missing)}[/yellow]" if closed.missing else "nothing was missing"
        console.print(
            f"Delivery day {closed.delivery_day} was closed {closed.closed_at:%Y-%m-%d %H:%M} UTC, {lacking}",
            soft_wrap=True,
        )
    if status.publication:
        seen = status.publication
        console.print(
            f"Readers see publication {seen.publication_id}: profiles as of {seen.as_of}, known at arrival"
            f" {seen.known_at}, published {seen.published_at:%Y-%m-%d %H:%M} UTC by {seen.run_id}",
            soft_wrap=True,
        )
    elif status.feeds:
        console.print("Nothing was published yet.")
    if status.kept_out:
        console.print(f"[yellow]Kept out of the tables: {len(status.kept_out)}[/yellow]")
        rows = [(one.arrival_number, one.feed, one.delivery_name, one.why, one.next) for one in status.kept_out]
        console.print(screen.table(("delivery", "feed", "file", "why", "next"), rows))
    for note in status.notes:
        console.print(f"[yellow]{note}[/yellow]", soft_wrap=True)


def _row(feed: FeedStatus) -> tuple[object, ...]:
    return (
        feed.feed,
        feed.source,
        feed.delivery_day,
        feed.delivery_name and Path(feed.delivery_name).name,
        feed.arrival_number,
        feed.landed_at,
        feed.rows_in,
        feed.rows_accepted,
        feed.rows_quarantined,
        feed.last_date,
        feed.days_behind,
        feed.gate,
        feed.missing,
    )
