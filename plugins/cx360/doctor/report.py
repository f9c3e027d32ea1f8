"""Report: one finding, and how findings are shown."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from rich.console import Console

Level = Literal["ok", "warning", "error"]

_COLOURS: dict[Level, str] = {"ok": "green", "warning": "yellow", "error": "red"}


@dataclass(frozen=True)
class Finding:
    """What one look found.

    Attributes:
        check: name of the check.
        level: ``error`` stops the nightly run, hides data or shows it to others; ``warning`` may some day.
        what: was found.
        cure: a command, or what to do; None where all is well.
    """

    check: str
    level: Level
    what: str
    cure: str | None = None


def explain(error: BaseException) -> str:
    """What may be told of an error: ours and the system's as they are; of any other its kind, it may quote values."""
    kind = type(error)
    if kind.__module__.startswith("cx360."):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}{f': {error.filename}' if error.filename else ''}"
    return f"{kind.__module__}.{kind.__qualname__}"


def show(findings: Sequence[Finding], console: "Console") -> None:
    """Print findings as they come, then how many there are."""
    for finding in findings:
        colour = _COLOURS[finding.level]
        console.print(f"[{colour}]{finding.level:<8}[/{colour}]{finding.check:<13}", end="")
        console.print(finding.what, soft_wrap=True, markup=False)
        if finding.cure:
            console.print(f"{'':21}cure: {finding.cure}", soft_wrap=True, markup=False)
    counts = Counter(finding.level for finding in findings)
    console.print(f"{counts['error']} errors, {counts['warning']} warnings, {counts['ok']} ok")
