"""Replay: what was delivered once is landed anew from the raw files the lake keeps, by today's mapping and contract.

Here belongs which deliveries are landed anew and in which order they are recorded. What landing makes of a file belongs
in ``landing``; that the new delivery takes the place of the old one, in ``visibility``.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from cx360 import lake, landing, manifest, privacy, sources, visibility
from cx360.contracts import Contract, load
from cx360.lake import UnreadableError
from cx360.manifest import Made
from cx360.settings import Settings
from cx360.sources import File
from cx360.sql import identifier, literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from sqlalchemy.orm import Session

    from cx360.ledger import Delivery

Fate = Literal["landed anew", "follows", "restored", "unchanged", "left out"]

#: Columns of a delivery that are the same when it is recorded again as it is.
_OF_THE_ARRIVAL = (
    "source",
    "feed",
    "delivery_name",
    "delivery_day",
    "content_hash",
    "file_size",
    "file_mtime_ns",
    "expected",
    "mapping_hash",
    "token_key",
    "contract_version",
)


class ReplayError(ValueError):
    """What was asked for cannot be replayed; the message says what to do instead."""


@dataclass(frozen=True)
class Wanted:
    """Which deliveries of a feed to replay; None is all."""

    source: str | None = None
    first_day: date | None = None
    last_day: date | None = None
    arrival_number: int | None = None

    def includes(self, delivery: "Delivery") -> bool:
        """Whether that delivery is asked for."""
        return (
            self.source in (None, delivery.source)
            and self.arrival_number in (None, delivery.arrival_number)
            and (self.first_day is None or self.first_day <= delivery.delivery_day)
            and (self.last_day is None or delivery.delivery_day <= self.last_day)
        )


@dataclass(frozen=True)
class Replayed:
    """What a replay does to one kept delivery.

    Attributes:
        before: the delivery as it was landed.
        fate: ``landed anew``; ``follows``: recorded again as it is, because its rows compete with those of one before
            it that is landed anew, and must go on winning; ``restored``: the same, its lost files are in the lake
            again; ``unchanged``; ``left out``.
        why: in a person's words, where that needs to be said.
        made: what landing makes of it; None unless it is recorded again, or in a dry run.
        made_by: columns of the new delivery that say what made it.
    """

    before: "Delivery"
    fate: Fate
    why: str = ""
    made: Made | None = None
    made_by: dict[str, str] = field(default_factory=dict)

    def sentence(self) -> str:
        """One line for the person on call."""
        said = f"{self.before.delivery_name} (delivery {self.before.arrival_number}): {self.fate}"
        if self.fate == "landed anew" and self.made is not None:
            made = self.made.delivery
            for name in ("accepted", "quarantined"):
                before, after = getattr(self.before, f"rows_{name}"), made.get(f"rows_{name}", 0)
                said += f", {name} {before:,} -> {after:,}"
            if made["outcome"] != "landed":
                said += f". {made['message']}"
        return f"{said}: {self.why}" if self.why else said


def replay(
    settings: Settings,
    feed: str,
    wanted: Wanted,
    progress: Callable[[Replayed], None],
    dry_run: bool = False,
) -> list[Replayed]:
    """Land kept raw files of a feed anew, each as a new delivery of the same name, day and bytes, and check them.

    All are recorded in one commit, so that no build sees half of a mended mapping, and a replay that is killed has
    changed nothing. What today's mapping and contract made is unchanged and not recorded: a second replay does nothing.

    Args:
        settings: of the deployment.
        feed: a contract's feed.
        wanted: which of its deliveries.
        progress: called with each delivery, as soon as it is made.
        dry_run: only say what would be landed anew.

    Raises:
        ReplayError: the delivery asked for cannot be replayed, or a file was delivered meanwhile.
        gates.GateFailed: what was landed anew did not pass its gate; what was visible before stays so.
    """
    from cx360 import gates, ledger

    if feed not in load(settings):
        raise ReplayError(f"there is no feed {feed}: feeds are {', '.join(load(settings))}")
    with ledger.session(settings) as session:
        kept = _kept(session, settings, feed)
        if wanted.arrival_number is not None:
            _require_known(session, kept, feed, wanted.arrival_number)
    done = []
    for one in _replay(settings, load(settings)[feed], kept, wanted, dry_run):
        progress(one)
        done.append(one)
    if not dry_run:
        _record(settings, [one for one in done if one.made is not None], kept)
        gates.check_deliveries(settings, feed, f"replay {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}")
    return done


@dataclass(frozen=True)
class _Kept:
    """Deliveries of a feed that count, in order of arrival."""

    deliveries: list["Delivery"]
    last: int  # arrival number of the feed's last delivery
    visible: set[int]
    dropped: set[int]


def _kept(session: "Session", settings: Settings, feed: str) -> _Kept:
    """The last delivery of each name and, where rows replace rows, those before it that are still read."""
    from sqlalchemy import select

    from cx360.ledger import Delivery

    visible = set(visibility.visible_arrivals(session, settings, None))
    is_snapshot = load(settings)[feed].delivery == "snapshot"
    every = session.scalars(select(Delivery).where(Delivery.feed == feed).order_by(Delivery.arrival_number)).all()
    last = set({(d.source, d.delivery_name): d.arrival_number for d in every}.values())
    counts = [d for d in every if d.arrival_number in last or (not is_snapshot and d.arrival_number in visible)]
    dropped = {number for number, said in visibility.standings(session).items() if said == "dropped"}
    return _Kept(counts, max(last, default=0), visible, dropped)


def _require_known(session: "Session", kept: _Kept, feed: str, arrival_number: int) -> None:
    from cx360.ledger import Delivery

    if any(d.arrival_number == arrival_number for d in kept.deliveries):
        return
    delivery = session.get(Delivery, arrival_number)
    if delivery is None or delivery.feed != feed:
        what = "there is none" if delivery is None else f"it is one of {delivery.feed}"
        raise ReplayError(f"delivery {arrival_number} of {feed}: {what}; `cx360 status` names the last of each feed")
    newest = manifest.latest_delivery(session, delivery.source, feed, delivery.delivery_name)
    raise ReplayError(
        f"delivery {arrival_number} was replaced by delivery {newest.arrival_number if newest else '?'} of the same"
        " name: replay that one"
    )


def _replay(settings: Settings, contract: Contract, kept: _Kept, wanted: Wanted, dry_run: bool) -> Iterator[Replayed]:
    """What becomes of each delivery, in order of arrival; those that were not asked for only where they follow."""
    from cx360 import ledger

    with closing(_Keys(settings, contract)) as keys:
        for delivery in kept.deliveries:
            asked = wanted.includes(delivery)
            found = Replayed(delivery, "unchanged")
            if asked and delivery.arrival_number in kept.dropped and wanted.arrival_number is None:
                why = f"somebody dropped it; to replay it all the same: --arrival {delivery.arrival_number}"
                found = replace(found, fate="left out", why=why)
            elif asked:
                found = _replay_one(settings, contract, delivery, dry_run)
            if found.made is None and delivery.arrival_number in kept.visible and keys.compete_with(delivery):
                with ledger.session(settings) as session:
                    found = replace(found, fate="follows", made=manifest.made_of(session, delivery))
            if found.made is not None:
                keys.add(delivery, found.made)
            if asked or found.made is not None:
                yield found


def _replay_one(settings: Settings, contract: Contract, delivery: "Delivery", dry_run: bool) -> Replayed:
    with _raw_file(settings, delivery) as file:
        found = _judge(settings, contract, delivery, file)
        if found.fate not in ("landed anew", "restored") or file is None or dry_run:
            return found
        try:
            made = landing.remake(settings, contract, file, delivery.content_hash)
        except UnreadableError as error:
            return Replayed(delivery, "left out", str(error))
        if found.fate == "restored":
            return found
        made_by = {
            "mapping_hash": landing.hash_of_mapping(settings, file),
            "token_key": privacy.key_id(settings),
            "contract_version": contract.version,
        }
        return replace(found, made=made, made_by=made_by)


@contextmanager
def _raw_file(settings: Settings, delivery: "Delivery") -> Iterator[File | None]:
    """The kept raw file, under the name it was delivered with; None when its source takes no such file today."""
    with lake.workshop(settings) as folder:
        path = folder / Path(delivery.delivery_name).name
        with suppress(FileNotFoundError):
            os.link(settings.lake / delivery.raw_path, path)
        yield sources.kept(settings, delivery.source, delivery.feed, delivery.delivery_name, path)


def _judge(settings: Settings, contract: Contract, delivery: "Delivery", file: File | None) -> Replayed:
    """Whether landing the delivery today would make something else of it."""
    if file is None:
        why = f"no pattern of source {delivery.source} takes it today: see its source.yaml and CX360_SOURCES"
        return Replayed(delivery, "left out", why)
    if not file.path.exists():
        why = f"its raw file {delivery.raw_path} is not in the lake: restore it, or have it delivered again"
        return Replayed(delivery, "left out", why)
    made_by = (landing.hash_of_mapping(settings, file), contract.version)
    if (delivery.mapping_hash, delivery.contract_version) == made_by:
        names = [getattr(delivery, name) for name in manifest.FILES]
        if any(name and not (settings.lake / name).exists() for name in names):
            return Replayed(delivery, "restored", "files of it were missing in the lake")
        return Replayed(delivery, "unchanged", f"made by today's mapping and contract {contract.version}")
    if delivery.outcome == "unreadable" and file.spec.control and delivery.expected is None:
        return Replayed(delivery, "left out", "its control file could not be read: have both delivered again")
    return Replayed(delivery, "landed anew")


def _record(settings: Settings, done: list[Replayed], kept: _Kept) -> None:
    """Record the new deliveries, all or none, in the order of the old ones.

    Raises:
        ReplayError: a file came under one of the names meanwhile, which would have to win.
    """
    from sqlalchemy import select

    from cx360 import ledger
    from cx360.ledger import Delivery

    if not done:
        return
    names = {(one.before.source, one.before.delivery_name) for one in done}
    feed = done[0].before.feed
    with ledger.session(settings) as session:
        manifest.alone(session)
        new = session.scalars(select(Delivery).where(Delivery.feed == feed, Delivery.arrival_number > kept.last))
        if came := sorted({d.arrival_number for d in new if (d.source, d.delivery_name) in names}):
            raise ReplayError(
                f"delivery {', '.join(map(str, came))} of {feed} came meanwhile, under the name of one that was"
                " replayed; nothing was recorded: replay again"
            )
        for one in done:
            arrival = {name: getattr(one.before, name) for name in _OF_THE_ARRIVAL}
            manifest.record(session, one.made or Made({}), **arrival | one.made_by)


class _Keys:
    """Keys of the deliveries that are recorded again.

    Of rows of one key and version the one of the later arrival wins. That must not change by a replay, so a delivery
    that has such a row follows those before it.
    """

    def __init__(self, settings: Settings, contract: Contract) -> None:
        version = [contract.version_column] if contract.version_column else []
        self._key = f"hash({', '.join(map(identifier, dict.fromkeys((*contract.key, *version))))})"
        self._lake = settings.lake
        self._db: DuckDBPyConnection | None = None
        self._names: set[tuple[str, str]] = set()
        self._unread: list[str] = []

    def add(self, delivery: "Delivery", made: Made) -> None:
        """Note a delivery that is recorded again."""
        self._names.add((delivery.source, delivery.delivery_name))
        if path := made.delivery.get("lake_path"):
            self._unread.append(path)

    def compete_with(self, delivery: "Delivery") -> bool:
        """Whether a delivery after them has the name of one of them, or a row of the same key and version."""
        if not self._names or not delivery.lake_path:
            return False
        if (delivery.source, delivery.delivery_name) in self._names:
            return True
        rows = self._rows(delivery.lake_path)
        found = self._read().execute(f"select count(*) from {rows} where {self._key} in (select key from keys)")
        return bool(found.fetchall()[0][0])

    def _read(self) -> "DuckDBPyConnection":
        """A database with table ``keys``; it is made when the first delivery asks, mostly never."""
        import duckdb

        if self._db is None:
            self._db = duckdb.connect(config={"autoinstall_known_extensions": False})
            self._db.execute("create table keys (key ubigint)")
        for path in self._unread:
            self._db.execute(f"insert into keys select {self._key} from {self._rows(path)}")
        self._unread.clear()
        return self._db

    def _rows(self, path: str) -> str:
        return f"read_parquet({literal(str(self._lake / path))})"

    def close(self) -> None:
        """Forget the keys."""
        if self._db is not None:
            self._db.close()
