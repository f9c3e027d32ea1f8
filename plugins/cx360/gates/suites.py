"""Suites: the rules of a gate, read from ``expectations/``.

Here belongs the reading of a suite file, which is a Great Expectations suite as JSON. Each expectation has
``severity`` critical (it blocks) or warning (it warns), ``notes`` (why it is there) and in ``meta``

    rule           its name, unique within the gate
    next           what the person on call does when it does not pass
    without_value  why a missing value is fine, where it is; without it a missing value cannot be checked

A suite's ``meta`` names the ``relation`` it is about: ``facts``, or a table of the warehouse.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cx360.gates.report import Level
from cx360.settings import PROJECT, Settings

_LEVELS: dict[str, Level] = {"critical": "block", "warning": "warn"}

#: The suite every feed's deliveries are judged by, beside the feed's own.
EVERY_FEED = "every_feed"


class SuiteError(ValueError):
    """A suite that cannot be used; the message names file and rule."""


@dataclass(frozen=True)
class Rule:
    """One expectation of a suite."""

    name: str
    level: Level
    reason: str
    next: str
    without_value: str | None
    expectation: dict[str, Any]

    @property
    def column(self) -> str | None:
        """The column it is about, if it is about one."""
        return self.expectation["kwargs"].get("column")

    @property
    def expected(self) -> str:
        """What it asks for, in words."""
        kwargs = self.expectation["kwargs"]
        kind = self.expectation["type"].removeprefix("expect_").replace("_", " ")
        column = self.column or ", ".join(kwargs.get("column_list", ()))
        low, high = kwargs.get("min_value"), kwargs.get("max_value")
        if "unexpected_rows_query" in kwargs:
            return "no row that breaks it"
        if "between" not in kind:
            return f"{column} {kind}".strip()
        if low == high:
            return f"{column} {low}"
        parts = [f"at least {low}" if low is not None else "", f"at most {high}" if high is not None else ""]
        return f"{column} {' and '.join(part for part in parts if part)}"


@dataclass(frozen=True)
class Suite:
    """Rules about one relation."""

    name: str
    relation: str
    rules: tuple[Rule, ...]


def _rule(where: str, expectation: dict[str, Any]) -> Rule:
    meta = expectation.get("meta") or {}
    missing = [name for name in ("rule", "next") if not meta.get(name)]
    if missing or not expectation.get("notes") or expectation.get("severity") not in _LEVELS:
        raise SuiteError(
            f"{where}, rule {meta.get('rule', '?')}: needs meta.rule, meta.next, notes, severity critical or warning"
        )
    return Rule(
        name=meta["rule"],
        level=_LEVELS[expectation["severity"]],
        reason=expectation["notes"],
        next=meta["next"],
        without_value=meta.get("without_value"),
        expectation=expectation,
    )


def read(path: Path) -> Suite:
    """Read one suite file.

    Raises:
        SuiteError: what is wrong, where.
    """
    try:
        document = json.loads(path.read_text())
    except (OSError, json.JSONDecodeError) as error:
        raise SuiteError(f"suite {path.parent.name}/{path.name} cannot be read: {error}") from None
    where = f"suite {path.parent.name}/{path.name}"
    rules = tuple(_rule(where, expectation) for expectation in document.get("expectations", ()))
    names = [rule.name for rule in rules]
    if len(set(names)) < len(names) or not document.get("name"):
        raise SuiteError(f"{where}: needs a name, and every rule a name of its own")
    return Suite(document["name"], (document.get("meta") or {}).get("relation", "facts"), rules)


def of_delivery(settings: Settings, feed: str) -> Suite:
    """The rules for a feed's deliveries: those of every feed, where it has none of that name, and its own."""
    shared = read(settings.overlay(f"expectations/delivery/{EVERY_FEED}.json"))
    own = read(settings.overlay(f"expectations/delivery/{feed}.json"))
    replaced = {rule.name for rule in own.rules}
    kept = tuple(rule for rule in shared.rules if rule.name not in replaced)
    return Suite(own.name, "facts", kept + own.rules)


def of_candidate(settings: Settings) -> list[Suite]:
    """The suites of the candidate: shipped ones, unless the bank has one of that name, and the bank's others.

    Raises:
        SuiteError: a suite cannot be used, or two rules have the same name.
    """
    folder = "expectations/candidate"
    places = (settings.home / "config" / folder, PROJECT / folder)
    names = sorted({path.name for place in places for path in place.glob("*.json")})
    suites = [read(settings.overlay(f"{folder}/{name}")) for name in names]
    rules = [rule.name for suite in suites for rule in suite.rules]
    if twice := sorted({name for name in rules if rules.count(name) > 1}):
        raise SuiteError(f"candidate suites: two rules are named {', '.join(twice)}")
    return suites
