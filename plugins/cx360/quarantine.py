"""Quarantine: what is kept out of the tables, why, and what rows look like without what they say.

Here belongs what a person is told before deciding. The decision is recorded by ``manifest``; raw values are never
read here but for their shapes, and stay in the ``pii`` part of the lake.
"""

import json
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cx360 import privacy, screen, sources, visibility
from cx360.contracts import load
from cx360.settings import Settings

if TYPE_CHECKING:
    from rich.console import Console
    from sqlalchemy.orm import Session

    from cx360.ledger import Delivery

#: Quarantined rows whose shapes are shown; reasons that are listed.
_SHAPES, _LISTED = 20, 100


class UnknownDelivery(ValueError):
    """There is no delivery of that number."""


@dataclass(frozen=True)
class Refused:
    """Quarantined rows of a delivery with one reason."""

    arrival_number: int
    delivery_day: date
    feed: str
    delivery_name: str
    reason: str
    rows: int
    first_row: int
    masked_example: str | None


@dataclass(frozen=True)
class RuleResult:
    """One rule of a gate's last check of a delivery."""

    rule: str
    level: str
    outcome: str
    expected: str | None
    observed: str | None
    next: str | None

    @property
    def blocks(self) -> bool:
        """Whether it keeps the delivery out."""
        return self.level == "block" and self.outcome != "passed"


@dataclass(frozen=True)
class Shape:
    """A quarantined row: its number, its reasons, the shape of each value (letters a, digits 9)."""

    row_number: int
    reasons: list[str]
    values: dict[str, str | None]


@dataclass(frozen=True)
class Shown:
    """All there is to know of a delivery before deciding."""

    arrival_number: int
    source: str
    feed: str
    delivery_name: str
    delivery_day: date
    gate: str
    is_read: bool
    outcome: str
    message: str | None
    rows_in: int
    rows_accepted: int
    rows_quarantined: int
    rules: list[RuleResult]
    refused: list[Refused]
    shapes: list[Shape]
    quarantine_file: str | None
    raw_file: str
    next: list[str]


def refused(session: "Session", feed: str | None = None, day: date | None = None) -> list[Refused]:
    """Quarantined rows by delivery and reason, newest first; of bytes that were landed anew, the last landing's."""
    from sqlalchemy import func, select

    from cx360.ledger import Delivery, Quarantine

    last = func.max(Delivery.arrival_number)
    newest = select(last).group_by(Delivery.source, Delivery.feed, Delivery.delivery_name, Delivery.content_hash)
    found = (
        select(Delivery, Quarantine)
        .join_from(Delivery, Quarantine)
        .where(Delivery.arrival_number.in_(newest))
        .order_by(Delivery.arrival_number.desc(), Quarantine.row_count.desc(), Quarantine.reason)
    )
    if feed:
        found = found.where(Delivery.feed == feed)
    if day:
        found = found.where(Delivery.delivery_day == day)
    return [_refused(delivery, row) for delivery, row in session.execute(found)]


def _refused(delivery: "Delivery", row: Any) -> Refused:
    return Refused(
        delivery.arrival_number,
        delivery.delivery_day,
        delivery.feed,
        delivery.delivery_name,
        row.reason,
        row.row_count,
        row.first_row,
        row.masked_example,
    )


def last_check(session: "Session", arrival_number: int) -> list[RuleResult]:
    """Results of the gate's last check of a delivery: what blocks, then what warns, then what passed."""
    from sqlalchemy import func, select

    from cx360.ledger import GateResult

    of_it = GateResult.arrival_number == arrival_number
    last = select(func.max(GateResult.checked_at)).where(of_it).scalar_subquery()
    every = session.scalars(select(GateResult).where(of_it, GateResult.checked_at == last))
    found = [RuleResult(r.rule, r.level, r.outcome, r.expected, r.observed, r.detail) for r in every]
    return sorted(found, key=lambda r: (not r.blocks, r.outcome == "passed", r.rule))


def inspect(settings: Settings, arrival_number: int) -> Shown:
    """What is known of a delivery; its quarantined rows without their values.

    Raises:
        UnknownDelivery: there is none.
    """
    from sqlalchemy import select

    from cx360 import ledger
    from cx360.ledger import Delivery, Quarantine

    with ledger.session(settings) as session:
        delivery = session.get(Delivery, arrival_number)
        if delivery is None:
            raise UnknownDelivery(f"there is no delivery {arrival_number}; cx360 quarantine list names them")
        rules = last_check(session, arrival_number)
        reasons = session.scalars(select(Quarantine).where(Quarantine.arrival_number == arrival_number))
        found = sorted((_refused(delivery, row) for row in reasons), key=lambda r: -r.rows)
        standing = visibility.standings(session)[arrival_number]
        is_read = arrival_number in visibility.visible_arrivals(session, settings, None)
    place = settings.lake / delivery.quarantine_path if delivery.quarantine_path else None
    return Shown(
        delivery.arrival_number,
        delivery.source,
        delivery.feed,
        delivery.delivery_name,
        delivery.delivery_day,
        standing,
        is_read,
        delivery.outcome,
        delivery.message,
        delivery.rows_in,
        delivery.rows_accepted,
        delivery.rows_quarantined,
        [rule for rule in rules if rule.outcome != "passed"],
        found,
        _shapes(settings, delivery, place),
        str(place) if place else None,
        str(settings.lake / delivery.raw_path),
        _next(delivery, standing, is_read),
    )


def _next(delivery: "Delivery", standing: str, is_read: bool) -> list[str]:
    """What a person may do."""
    number, name = delivery.arrival_number, delivery.delivery_name
    if is_read and not delivery.rows_quarantined:
        return ["nothing: it is read"]
    again = f"mend source.yaml or {delivery.feed}.sql, then: cx360 replay {delivery.feed} --arrival {number}"
    if is_read:
        return [f"nothing, or {again}"]
    steps = [again, f"or have {name} delivered again, under the same name; the next run takes it"]
    if standing in ("not yet checked", "could not check"):
        steps.insert(0, "run deliveries again: its gate has no verdict yet")
    if standing == "blocked" and delivery.outcome == "landed":
        steps.append(f'or let it in as it is: cx360 quarantine release {number} --reason "…"')
    if standing != "dropped":
        steps.append(f'or give it up: cx360 quarantine drop {number} --reason "…"')
    return steps


def _shapes(settings: Settings, delivery: "Delivery", place: Path | None) -> list[Shape]:
    """The first quarantined rows, every value masked; a column nobody declared is told by its place.

    Where a header is missing, a person's data stands for names.
    """
    import duckdb

    if place is None or not place.exists():
        return []
    with closing(duckdb.connect(config={"autoinstall_known_extensions": False})) as db:
        declared = _declared(settings, delivery, db)
        found = db.execute(
            "select row_number, reasons, raw_row from read_parquet($path) order by row_number, raw_row limit $rows",
            {"path": str(place), "rows": _SHAPES},
        ).fetchall()
    return [Shape(number, list(reasons), _masked(raw, declared)) for number, reasons, raw in found]


def _declared(settings: Settings, delivery: "Delivery", db: Any) -> set[str]:
    """Names of columns the source's files have by source.yaml and mapping, as far as these can be read."""
    from cx360 import mapping

    try:
        file = sources.kept(settings, delivery.source, delivery.feed, delivery.delivery_name, Path())
        if file is None:
            return set()
        select = mapping.parse(db, file.mapping_sql, load(settings)[delivery.feed])
    except (sources.SourceError, mapping.MappingError):
        return set()
    return {*file.spec.columns, *select.inputs}


def _masked(raw_row: str, declared: set[str]) -> dict[str, str | None]:
    try:
        record = json.loads(raw_row)
    except ValueError:
        record = None
    if not isinstance(record, dict):
        return {"(no record)": privacy.shape(raw_row)}
    return {
        name if name in declared else f"(column {place})": None if value is None else privacy.shape(str(value))
        for place, (name, value) in enumerate(record.items(), start=1)
    }


def show_list(kept_out: list[Any], rows: list[Refused], console: "Console") -> None:
    """Print what is kept out: whole deliveries, then rows."""
    if kept_out:
        console.print(f"[yellow]Deliveries kept out of the tables: {len(kept_out)}[/yellow]")
        waiting = [(one.arrival_number, one.feed, one.delivery_name, one.why, one.next) for one in kept_out]
        console.print(screen.table(("delivery", "feed", "file", "why", "next"), waiting))
    else:
        console.print("No delivery is kept out.")
    if not rows:
        console.print("No row is quarantined.")
        return
    console.print(f"{sum(row.rows for row in rows):,} times a row was quarantined, by reason:")
    headings = ("delivery", "day", "feed", "file", "reason", "rows", "first row", "shape of a value")
    told = [
        (r.arrival_number, r.delivery_day, r.feed, r.delivery_name, r.reason, r.rows, r.first_row, r.masked_example)
        for r in rows[:_LISTED]
    ]
    console.print(screen.table(headings, told))
    if len(rows) > _LISTED:
        console.print(f"and {len(rows) - _LISTED} more, older: --feed and --day narrow it, --format json lists all")


def show(shown: Shown, console: "Console") -> None:
    """Print what is known of a delivery."""
    state = f"{shown.gate}, {'read' if shown.is_read else 'not read'}"
    console.print(
        f"Delivery {shown.arrival_number}: {shown.delivery_name}, {shown.feed} of {shown.source}, for"
        f" {shown.delivery_day}: {state}",
        soft_wrap=True,
    )
    console.print(f"{shown.rows_in:,} rows, {shown.rows_accepted:,} accepted, {shown.rows_quarantined:,} quarantined")
    if shown.message:
        console.print(shown.message, soft_wrap=True, markup=False)
    for rule in shown.rules:
        said = f"{rule.rule} ({'blocks' if rule.blocks else 'warns'}): {rule.outcome}; expected {rule.expected},"
        said += f" observed {rule.observed or 'nothing'}"
        said += "" if rule.next in (None, shown.message) else f". {rule.next}"
        console.print(f"  {said}", soft_wrap=True, markup=False)
    if shown.refused:
        headings = ("quarantined because", "rows", "first row", "shape of a value")
        told = [(r.reason, r.rows, r.first_row, r.masked_example) for r in shown.refused]
        console.print(screen.table(headings, told))
    for shape in shown.shapes:
        values = ", ".join(f"{name}={value}" for name, value in shape.values.items() if value is not None)
        console.print(f"  row {shape.row_number}: {', '.join(shape.reasons)}: {values}", soft_wrap=True, markup=False)
    if shown.quarantine_file:
        shown_of = f"the first {len(shown.shapes)} of {shown.rows_quarantined}" if shown.shapes else "none"
        console.print(
            f"Shapes of rows above: {shown_of}. The rows as they came: {shown.quarantine_file}", soft_wrap=True
        )
    console.print(f"The file as it came: {shown.raw_file}", soft_wrap=True)
    console.print("What to do:")
    for step in shown.next:
        console.print(f"  {step}", soft_wrap=True, markup=False)
