"""What every part of the synthetic bank shares: the plan of a run, its days, its random numbers, small vector helpers.

Here belongs what is not about one subject. Writing files belongs in ``files``, bad rows in ``dirt``.
Moments are seconds since 1970 of the bank's local clock (int64); days are days since 1970 (int64). Nothing ever happens
between 02:00 and 03:00, when the bank closes its books, so local time is never ambiguous.
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pyarrow as pa

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

EPOCH = date(1970, 1, 1)
NEVER = 1 << 30  # a day beyond every period
ZONE = "Europe/Berlin"

#: How busy the hours of a day are, from 0 to 23; the bank closes its books in hour 2.
HOURS = np.array([2, 1, 0, 0.3, 0.5, 1, 3, 6, 8, 9, 10, 11, 12, 11, 9, 9, 10, 12, 12, 10, 8, 6, 5, 3], dtype=float)
OFFICE_HOURS = np.where((np.arange(24) >= 8) & (np.arange(24) < 20), HOURS, 0) + np.eye(24)[9] * 5
WEEKDAYS = np.array([1.05, 1.0, 1.0, 1.05, 1.2, 1.1, 0.6])
OFFICE_WEEKDAYS = np.array([1.4, 1.1, 1.0, 1.0, 0.95, 0.25, 0.0])
MONTHS = np.array([0.92, 0.95, 1.0, 1.0, 1.02, 1.0, 0.95, 0.93, 1.0, 1.02, 1.1, 1.3])


def parameters() -> dict[str, Any]:
    """The parameter file of the synthetic bank."""
    import yaml

    text = (Path(__file__).parent / "parameters.yaml").read_text(encoding="utf-8")
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded


def overlaid(settings: Mapping[str, Any], changes: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    """Settings with some of them changed, at any depth.

    Raises:
        ValueError: a change names no setting.
    """
    result = dict(settings)
    for key, value in changes.items():
        if key not in result:
            raise ValueError(f"settings must be among those of parameters.yaml; {path}{key} is not")
        nested = isinstance(result[key], Mapping) and isinstance(value, Mapping)
        result[key] = overlaid(result[key], value, f"{path}{key}.") if nested else value
    return result


@dataclass(frozen=True)
class Plan:
    """What to make: how many people, which days, from which seed, with or without planted facts."""

    customers: int
    days: int
    seed: int
    end: date
    plant: bool
    daily: int = 3  # last days that are deliveries of their own
    settings: Mapping[str, Any] = field(default_factory=parameters)
    dirt: float = 1.0  # how many times the dirt of further party records is what the parameters say

    def __post_init__(self) -> None:
        if not 0 <= self.dirt <= 10:
            raise ValueError(f"dirt must be 0 to 10, not {self.dirt}")
        if not 1 <= self.customers <= 1_000_000:
            raise ValueError(f"customers must be 1 to 1,000,000, not {self.customers}")
        if not 3 <= self.daily <= 366:
            raise ValueError(f"daily must be 3 to 366, not {self.daily}")
        if not self.daily + 4 <= self.days <= 3660:
            raise ValueError(
                f"days must be {self.daily + 4} to 3,660, not {self.days}: the last {self.daily} are deliveries of"
                " their own"
            )

    @property
    def last(self) -> int:
        """Last business day."""
        return (self.end - EPOCH).days

    @property
    def first(self) -> int:
        """First business day."""
        return self.last - self.days + 1

    @property
    def history(self) -> int:
        """Last day of the history, whose folder holds all of it."""
        return self.last - self.daily

    def day_at(self, share: float) -> int:
        """The day that lies at that share of the period."""
        return self.first + round(share * (self.days - 1))

    def rng(self, name: str) -> np.random.Generator:
        """Random numbers of one subject; a child of the seed, so that subjects do not disturb each other."""
        return np.random.Generator(
            np.random.PCG64(np.random.SeedSequence(self.seed, spawn_key=(zlib.crc32(name.encode()),)))
        )

    @cached_property
    def parts(self) -> Ints:
        """First day of each history file: one a calendar month."""
        days = np.arange(self.first, self.history + 1)
        return days[np.unique(month_of(days), return_index=True)[1]]

    def slot_of(self, day: Ints) -> Ints:
        """File a day's rows belong to: the history's parts are 0, 1, …, then one file for each later day."""
        day = np.maximum(day, self.first)
        part = np.searchsorted(self.parts, day, side="right") - 1
        return np.where(day > self.history, len(self.parts) + day - self.history - 1, part).astype(np.int64)


def master_slot(plan: Plan, day: Ints) -> Ints:
    """File of a master's row: the opening file for all from before the first day, then as events."""
    return np.where(day < plan.first, 0, plan.slot_of(day) + 1)


def as_date(day: int) -> date:
    """Calendar date of a day number."""
    return EPOCH + timedelta(days=int(day))


def month_of(day: Ints) -> Ints:
    """Months since 1970 of day numbers."""
    return day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)


def weekday_of(day: Ints) -> Ints:
    """0 is Monday."""
    return (day + 3) % 7


def calendar(plan: Plan, weekdays: Floats) -> Floats:
    """Cumulated business of the period's days: ``days + 1`` values from 0, about 1 a day."""
    days = np.arange(plan.first, plan.last + 1)
    busy = weekdays[weekday_of(days)] / weekdays.mean() * MONTHS[month_of(days) % 12]
    return np.concatenate([[0.0], np.cumsum(busy)])


def spread(
    rng: np.random.Generator, plan: Plan, per_day: Floats, start: Ints, stop: Ints, busy: Floats
) -> tuple[Ints, Ints]:
    """Draw how often each actor acts, and when.

    Args:
        rng: source of chance.
        plan: the run.
        per_day: mean number a day of each actor.
        start: first day each may act.
        stop: last day each may act.
        busy: from ``calendar``.

    Returns:
        (actor, day), one element an act, ordered by actor.
    """
    low = busy[np.clip(start - plan.first, 0, plan.days)]
    high = np.maximum(busy[np.clip(stop + 1 - plan.first, 0, plan.days)], low)
    count = rng.poisson(per_day * (high - low))
    actor = np.repeat(np.arange(len(count)), count)
    at = low[actor] + rng.random(len(actor)) * (high - low)[actor]
    return actor, plan.first + np.clip(np.searchsorted(busy, at, side="right") - 1, 0, plan.days - 1)


def clock(rng: np.random.Generator, n: int, hours: Floats = HOURS) -> Ints:
    """Seconds of the day, as busy as the hours are."""
    return weighted(rng, hours, n) * 3600 + rng.integers(0, 3600, n)


def weighted(rng: np.random.Generator, weights: Sequence[float] | Floats, n: int) -> Ints:
    """Draw ``n`` indexes, as often as the weights say."""
    edges = np.cumsum(np.asarray(weights, dtype=float))
    return np.minimum(np.searchsorted(edges / edges[-1], rng.random(n), side="right"), len(edges) - 1)


def utc(moment: Ints) -> Ints:
    """Seconds of UTC for seconds of the bank's clock."""
    return moment - offset(moment)


def offset(moment: Ints) -> Ints:
    """Seconds the bank's clock is ahead of UTC. Clocks change in hour 2, when nothing happens."""
    from datetime import datetime, time
    from zoneinfo import ZoneInfo

    day = (moment - 2 * 3600) // 86400  # hours 0 and 1 still have the offset of the day before
    distinct, index = np.unique(day, return_inverse=True)
    zone = ZoneInfo(ZONE)
    ahead = [datetime.combine(as_date(d), time(12), zone).utcoffset() or timedelta(0) for d in distinct]
    return np.array([a.total_seconds() for a in ahead], dtype=np.int64)[index]


# ---- text columns: Arrow strings -------------------------------------------------------------------------------------


def pick(words: "Sequence[str | None] | pa.Array", index: Ints) -> "pa.Array":
    """``words[index]``; a negative index gives null."""
    import pyarrow as pa

    values = words if isinstance(words, (pa.Array, pa.ChunkedArray)) else pa.array(words, pa.string())
    taken = values.take(pa.array(np.asarray(index), mask=np.asarray(index) < 0))
    return taken.combine_chunks() if isinstance(taken, pa.ChunkedArray) else taken


def join(*parts: "pa.Array | str", separator: str = "") -> "pa.Array":
    """Texts side by side; null if one of them is."""
    import pyarrow.compute as pc

    return pc.binary_join_element_wise(*parts, separator)


def digits(numbers: Ints, width: int = 0, mask: "Bools | None" = None) -> "pa.Array":
    """Whole numbers as text, with leading zeros up to ``width``; null where ``mask``."""
    import pyarrow as pa
    import pyarrow.compute as pc

    text = pa.array(np.asarray(numbers, dtype=np.int64), mask=mask).cast(pa.string())
    return pc.utf8_lpad(text, width, "0") if width else text


_CENTS = [f"{i:02d}" for i in range(100)]


def money(cents: Ints, mask: "Bools | None" = None, point: str = ".") -> "pa.Array":
    """Cents as decimal text; null where ``mask``."""
    import pyarrow as pa

    size = np.abs(cents)
    text = join(pick(["", "-"], (cents < 0).astype(np.int64)), digits(size // 100), point, pick(_CENTS, size % 100))
    return text if mask is None else where(~mask, text, pa.scalar(None, pa.string()))


def days_text(day: Ints, form: str = "%Y-%m-%d", mask: "Bools | None" = None) -> "pa.Array":
    """Days as text in a strptime form; null where ``mask``, or where a day is ``NEVER``."""
    empty = day >= NEVER if mask is None else mask | (day >= NEVER)
    distinct, index = np.unique(np.where(empty, 0, day), return_inverse=True)
    words: list[str | None] = [as_date(d).strftime(form) for d in distinct]
    return pick(words, np.where(empty, -1, index))


@cache
def _times(length: int) -> list[str]:
    """HH:MM:SS of every second of a day, or less of it."""
    return [f"{s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}"[:length] for s in range(86400)]


def moment_text(moment: Ints, form: str = "{Y}-{m}-{d} {H}", mask: "Bools | None" = None) -> "pa.Array":
    """Moments as text. ``form`` is made of {Y} {m} {d}, {H} for HH:MM:SS or {M} for HH:MM; null where ``mask``."""
    day, second = moment // 86400, moment % 86400
    date_form, _, time_form = form.partition("{H}") if "{H}" in form else form.partition("{M}")
    words = date_form.replace("{Y}", "%Y").replace("{m}", "%m").replace("{d}", "%d")
    times = _times(5 if "{M}" in form else 8)
    day = np.where(mask, NEVER, day) if mask is not None else day
    return join(days_text(day, words), pick(times, second), time_form)


def where(condition: Bools, yes: Any, no: Any) -> "pa.Array":
    """Element of ``yes`` where true, else of ``no``; either may be one text for all."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.if_else(pa.array(condition), yes, no)


def nothing(n: int) -> "pa.Array":
    """``n`` null texts."""
    import pyarrow as pa

    return pa.nulls(n, pa.string())


@dataclass(frozen=True)
class Slot:
    """One file of a feed: the folder it arrives in, the day and part in its name."""

    folder: int
    day: int
    part: int | None = None


@dataclass
class Feed:
    """A feed before it is written: text columns as the source names them, and the file each row is in.

    ``order`` sorts the rows within a file; ``reason`` is null for a good row, ``repeated`` or a reason code.
    """

    name: str
    table: "pa.Table"
    slot: Ints
    slots: list[Slot]
    reason: "pa.Array | None" = None

    def extend(self, rows: Ints, slot: Ints) -> None:
        """Add copies of rows, in other files."""
        import pyarrow as pa

        self.table = pa.concat_tables([self.table, self.table.take(pa.array(rows))])
        self.slot = np.concatenate([self.slot, slot])


def slots(plan: Plan, opening: int = 0) -> list[Slot]:
    """The files a feed has: history in month parts, then one for each later day.

    ``opening`` more parts come first, for what was there before the first day.
    """
    n = len(plan.parts) + opening
    history = [Slot(plan.history, plan.history, k + 1 if n > 1 else None) for k in range(n)]
    return history + [Slot(day, day) for day in range(plan.history + 1, plan.last + 1)]
