"""Sources: where deliveries come from and how their files are written, from ``sources/<name>/``.

Here belongs the finding of files, what their names say, and how their columns are mapped. What becomes of the rows
belongs in ``landing``. Onboarding a system is a folder with a ``source.yaml`` and one select per feed; no Python.
"""

import codecs
import hashlib
import json
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from cx360.contracts import FEEDS
from cx360.settings import Settings

#: Endings of files that are still being written.
UNFINISHED = (".tmp", ".part", ".partial", ".filepart", ".crdownload", ".ctl")


class SourceError(ValueError):
    """A source that cannot be used; the message names file and entry."""


def _timezone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"{value!r} is no time zone; write one like Europe/Berlin") from None
    return value


class FileSpec(BaseModel):
    """How the files of one feed look."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    feed: str
    pattern: str = Field(description="Glob below the inbox; {delivery_day} stands for YYYY-MM-DD")
    mapping: str = ""
    format: Literal["csv", "jsonl", "parquet"] = "csv"
    encoding: str = "utf-8"
    delimiter: str = ","
    quote: str = '"'
    timezone: str | None = None
    date_formats: tuple[str, ...] = ("%Y-%m-%d",)
    timestamp_formats: tuple[str, ...] = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S")
    decimal_separator: str = "."
    thousands_separator: str = ""
    null_values: tuple[str, ...] = ("",)
    phone_region: str = "US"
    columns: tuple[str, ...] = ()
    arrives: Literal["daily", "weekdays"] | None = None
    control: str | None = None
    min_age_seconds: int = 0

    @field_validator("timezone")
    @classmethod
    def _know_the_timezone(cls, value: str | None) -> str | None:
        return _timezone(value) if value else None

    @field_validator("encoding")
    @classmethod
    def _know_the_encoding(cls, value: str) -> str:
        try:
            return codecs.lookup(value).name
        except LookupError:
            raise ValueError(f"{value!r} is no encoding Python knows") from None

    def is_expected(self, day: date) -> bool:
        """Whether a file is to come for that delivery day."""
        return self.arrives == "daily" or (self.arrives == "weekdays" and day.weekday() < 5)

    @property
    def regex(self) -> re.Pattern[str]:
        """The pattern as a regular expression over a path below the inbox."""
        parts = re.split(r"(\{delivery_day\}|\*)", self.pattern)
        known = {"{delivery_day}": r"(?P<day>\d{4}-\d{2}-\d{2})", "*": "[^/]*"}
        return re.compile("".join(known.get(p, re.escape(p)) for p in parts))


class Bank(BaseModel):
    """What is true of the whole bank, unless the deployment's settings say otherwise."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    timezone: str = "UTC"
    reporting_currency: str = Field("EUR", pattern="^[A-Z]{3}$")

    @field_validator("timezone")
    @classmethod
    def _know_the_timezone(cls, value: str) -> str:
        return _timezone(value)


class Source(BaseModel):
    """A system that delivers feeds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str
    description: str
    bank: Bank = Bank()
    delivery_day: date | None = None
    files: tuple[FileSpec, ...]
    ignored: dict[str, str] = {}
    folders: tuple[Path, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _fill_in_defaults(cls, data: dict[str, Any]) -> dict[str, Any]:
        data = dict(data)
        defaults = data.pop("defaults", None) or {}
        data["files"] = [{**defaults, **entry} for entry in data.get("files") or ()]
        return data

    @model_validator(mode="after")
    def _know_the_feeds(self) -> "Source":
        for spec in self.files:
            if spec.feed not in FEEDS:
                raise ValueError(f"feed {spec.feed!r} has no contract; known are {', '.join(FEEDS)}")
            if "{delivery_day}" not in spec.pattern and self.delivery_day is None:
                raise ValueError(f"pattern {spec.pattern!r} needs {{delivery_day}}, or the source a delivery_day")
        return self

    def mapping(self, spec: FileSpec) -> Path:
        """File of the select that maps such files to the contract; the bank's own goes before a shipped one."""
        return _first(self.folders, spec.mapping or f"{spec.feed}.sql")


class _Totals(BaseModel):
    """What a control file says; what else is in it is not taken."""

    rows: int | None = Field(default=None, ge=0, strict=True)
    amount: Decimal | None = None


@dataclass(frozen=True)
class File:
    """A file in the inbox that a source delivers for a feed."""

    path: Path
    name: str  # below the inbox, with forward slashes
    delivery_day: date
    source: Source
    spec: FileSpec
    timezone: str  # of timestamps without an offset

    @cached_property
    def mapping_sql(self) -> str:
        """The mapping select.

        Raises:
            SourceError: there is no such file.
        """
        path = self.source.mapping(self.spec)
        if not path.exists():
            raise SourceError(
                f"source {self.source.source}: feed {self.spec.feed} needs {path.name} beside source.yaml"
            )
        return path.read_text()

    def mapping_hash(self, also: str) -> str:
        """SHA-256 of everything, besides bytes and contract, that decides what landing makes of the file.

        Args:
            also: what the deployment adds, such as the token key's id.
        """
        spec = self.spec.model_dump(exclude={"pattern", "arrives", "control", "min_age_seconds"})
        text = json.dumps([spec, self.mapping_sql, self.timezone, also], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def control_path(self) -> Path | None:
        """Where the control file of this delivery is, if its source gives one."""
        return self.path.with_name(self.spec.control.format(name=self.path.name)) if self.spec.control else None

    @property
    def expected(self) -> dict[str, Any] | None:
        """Control totals the source gave (``rows``, ``amount``), if any.

        Raises:
            SourceError: its control file says none.
        """
        if self.control_path is None:
            return None
        try:
            return _Totals.model_validate_json(self.control_path.read_bytes()).model_dump(
                mode="json", exclude_unset=True
            )
        except ValidationError:
            raise SourceError(
                f"control file {self.control_path.name} is no JSON with rows as a whole number and amount as decimal"
                ' text, such as {"rows": 3, "amount": "12.50"}. Ask the source for a right one; the next run takes it.'
            ) from None

    @property
    def is_complete(self) -> bool:
        """Whether the source has finished writing it."""
        if self.control_path is not None and not self.control_path.exists():
            return False
        return time.time() - self.path.stat().st_mtime >= self.spec.min_age_seconds


def read(folder: Path, *behind: Path) -> Source:
    """Read one source folder; a file it lacks is taken from those behind it.

    Raises:
        SourceError: what is wrong, where.
    """
    folders = (folder, *behind)
    path = _first(folders, "source.yaml")
    if not path.exists():
        raise SourceError(
            f"there is no {path}: a source is a folder with a source.yaml and a select per feed. A relative folder is"
            " looked for in config/ below CX360_HOME, then here, then in the project"
        )
    where = f"{folder.name}/source.yaml"
    try:
        said = yaml.safe_load(path.read_text())
        if not isinstance(said, dict):
            raise SourceError(f"{where} says nothing: it needs source, description and files; see docs/sources.md")
        return Source(**said, folders=folders)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" line {mark.line + 1}" if mark else ""
        raise SourceError(f"{where}{line} is no YAML: {getattr(error, 'problem', error)}") from None
    except ValidationError as error:
        found = dict.fromkeys(f"{_place(said, e['loc'])}: {e['msg']}" for e in error.errors())
        raise SourceError(f"{where}: {'; '.join(found)}. Every key is in docs/sources.md") from None


def _first(folders: Sequence[Path], name: str) -> Path:
    """The file of that name in the first folder that has it; where none has, in the first."""
    return next((folder / name for folder in folders if (folder / name).exists()), folders[0] / name)


def _place(said: dict[str, Any], loc: tuple[int | str, ...]) -> str:
    """Where in the file an error is: a key of ``defaults`` is told there, a file by its feed."""
    match loc:
        case ("files", int(_), str(key), *_) if key in (said.get("defaults") or {}):
            return f"defaults.{key}"
        case ("files", int(number), *rest):
            feed = (said["files"][number] or {}).get("feed", "?")
            return ".".join(["files", str(feed), *map(str, rest)])
        case _:
            return ".".join(map(str, loc)) or "source"


def load(settings: Settings) -> list[Source]:
    """The sources of this deployment."""
    return [read(*places) for places in settings.source_places]


def bank(settings: Settings) -> Bank:
    """Time zone and reporting currency: the settings', else what the sources agree on.

    Raises:
        SourceError: the sources disagree and the settings don't say.
    """
    said = {source.bank for source in load(settings)}
    if len(said) > 1 and not (settings.timezone and settings.reporting_currency):
        raise SourceError("the sources name different banks: set CX360_TIMEZONE and CX360_REPORTING_CURRENCY")
    first = next(iter(said), Bank())
    return Bank(
        timezone=settings.timezone or first.timezone,
        reporting_currency=settings.reporting_currency or first.reporting_currency,
    )


def discover(settings: Settings, feed: str | None = None, until: date | None = None) -> list[File]:
    """Complete files of a feed (or of all) in the inbox, by delivery day and name.

    Args:
        settings: of the deployment.
        feed: None for all feeds.
        until: last delivery day wanted; None for all.
    """
    found = [
        file
        for file in _claimed(settings)
        if (feed is None or file.spec.feed == feed) and (until is None or file.delivery_day <= until)
    ]
    return sorted((f for f in found if f.is_complete), key=lambda f: (f.delivery_day, f.name))


def waiting(settings: Settings) -> list[File]:
    """Files in the inbox that a source takes and has not finished: without a control file, or written just now."""
    return [file for file in _claimed(settings) if not file.is_complete]


def kept(settings: Settings, source: str, feed: str, name: str, path: Path) -> File | None:
    """A file that was delivered before, its bytes now at ``path``; None when that source takes no such file today."""
    timezone = bank(settings).timezone
    for known in load(settings):
        for spec, day in _matches(known, name):
            if known.source == source and spec.feed == feed:
                return File(path, name, day, known, spec, spec.timezone or timezone)
    return None


def delivery_days(settings: Settings) -> list[date]:
    """Delivery days of the files that are in the inbox now, earliest first."""
    return sorted({f.delivery_day for f in discover(settings)})


def unclaimed(settings: Settings) -> list[str]:
    """Names of files in the inbox that no source takes and none ignores."""
    sources = load(settings)
    controls = {f.control_path for f in discover(settings)}
    return [
        name
        for path, name in _inbox(settings)
        if path not in controls
        and not any(list(_matches(s, name)) for s in sources)
        and not any(Path(name).match(pattern) for s in sources for pattern in s.ignored)
    ]


def _claimed(settings: Settings) -> list[File]:
    """Files in the inbox with the source that takes them."""
    timezone = bank(settings).timezone
    return [
        File(path, name, day, source, spec, spec.timezone or timezone)
        for source in load(settings)
        for path, name in _inbox(settings)
        for spec, day in _matches(source, name)
    ]


def _inbox(settings: Settings) -> Iterator[tuple[Path, str]]:
    folder = settings.inbox_folder
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.name.startswith(".") and not path.name.endswith(UNFINISHED):
            yield path, path.relative_to(folder).as_posix()


def _matches(source: Source, name: str) -> Iterator[tuple[FileSpec, date]]:
    for spec in source.files:
        if match := spec.regex.fullmatch(name):
            day = _day(match["day"]) if "day" in match.groupdict() else source.delivery_day
            if day:
                yield spec, day


def _day(text: str) -> date | None:
    """The day, or None when there is no such day, so that nobody claims the file."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
