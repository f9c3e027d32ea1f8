"""Report: what a gate found, in words and as rows of the ledger.

Here belongs the wording of verdicts. How they are reached belongs in ``checking``.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy.orm import Session

from cx360.ledger import GateResult

Outcome = Literal["passed", "failed", "could not check"]
Level = Literal["block", "warn"]

#: Rules a message names; the others are in ``ops.gate_results``.
_NAMED = 10


@dataclass(frozen=True)
class Verdict:
    """One rule, checked once on one delivery or candidate.

    Attributes:
        rule: name of the rule in its suite.
        level: whether anything but ``passed`` blocks or only warns.
        expected: what the rule asks for.
        observed: the number it found; None where there was nothing to judge.
        reason: why the rule is there.
        detail: what to know or to do next.
        arrival_number: the delivery; None for the candidate.
        subject: what was checked, in a person's words.
    """

    rule: str
    level: Level
    outcome: Outcome
    expected: str | None
    observed: str | None
    reason: str
    detail: str | None
    arrival_number: int | None
    subject: str

    @property
    def blocks(self) -> bool:
        """Whether it keeps its delivery or candidate from being seen."""
        return self.level == "block" and self.outcome != "passed"

    def sentence(self) -> str:
        """One line for the person on call."""
        said = f"{self.subject}: rule {self.rule} {'could not be checked' if self._open else 'failed'}"
        found = f"; expected {self.expected}, observed {self.observed or 'nothing'}"
        return f"{said}{found}. {self.detail or ''}".rstrip()

    @property
    def _open(self) -> bool:
        return self.outcome == "could not check"


@dataclass(frozen=True)
class GateReport:
    """What a gate found.

    Attributes:
        gate: ``delivery.<feed>``, ``candidate``, or ``deliveries`` for those of all feeds.
        checked: how many deliveries or candidates were judged.
        verdicts: every rule on each of them.
    """

    gate: str
    checked: int
    verdicts: list[Verdict] = field(default_factory=list)

    def __add__(self, other: "GateReport") -> "GateReport":
        """Both together, under this one's name."""
        return GateReport(self.gate, self.checked + other.checked, self.verdicts + other.verdicts)

    @property
    def blocking(self) -> list[Verdict]:
        """Verdicts that block."""
        return [v for v in self.verdicts if v.blocks]

    @property
    def warnings(self) -> list[Verdict]:
        """Verdicts that only warn."""
        return [v for v in self.verdicts if v.outcome != "passed" and not v.blocks]

    @property
    def blocked(self) -> list[int]:
        """Arrival numbers of blocked deliveries."""
        return sorted({v.arrival_number for v in self.blocking if v.arrival_number is not None})

    def summary(self) -> dict[str, Any]:
        """Counts, and the names of the rules that did not pass; fit for JSON, logs and XCom."""
        return {
            "gate": self.gate,
            "checked": self.checked,
            "rules": len({v.rule for v in self.verdicts}),
            "blocked": self.blocked,
            "warnings": sorted({v.rule for v in self.warnings}),
        }

    def raise_if_blocked(self) -> None:
        """Say what blocks.

        Raises:
            GateFailed: a blocking rule failed or could not be checked.
        """
        if self.blocking:
            raise GateFailed(self)

    def record(self, session: Session, run_id: str) -> None:
        """Write every verdict into ``ops.gate_results``, in one insert: all of a check, or nothing."""
        from sqlalchemy import insert

        names = ("arrival_number", "rule", "level", "outcome", "expected", "observed", "reason", "detail")
        rows = [
            {"run_id": run_id, "gate": self.gate} | {name: getattr(v, name) for name in names} for v in self.verdicts
        ]
        if rows:
            session.execute(insert(GateResult), rows)


class GateFailed(Exception):
    """A gate stays shut; the message names gate, rule, what was expected and found, and what to do next."""

    def __init__(self, report: GateReport) -> None:
        self.report = report
        blocking = report.blocking
        what = f"{len(report.blocked)} of {report.checked} deliveries" if report.blocked else "the publication"
        lines = [f"gate {report.gate} blocks {what}"]
        lines += [f"- {verdict.sentence()}" for verdict in blocking[:_NAMED]]
        if len(blocking) > _NAMED:
            lines.append(f"- and {len(blocking) - _NAMED} more")
        if report.blocked:
            lines.append(f"What to do: cx360 quarantine show {report.blocked[0]}")
        lines.append("All results: ops.gate_results, and data_docs below the reports folder.")
        super().__init__("\n".join(lines))

    def __reduce__(self) -> tuple[Any, ...]:
        return GateFailed, (self.report,)
