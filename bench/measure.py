"""How the bench measures: one process per measurement, rivals in turn, ratios within a round.

Here belongs what is true of every row. What is measured is ``work``'s.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

BENCH = Path(__file__).parent


@dataclass(frozen=True)
class Contestant:
    """What one process does: its name in the table and its command, to which the arguments are added as JSON."""

    name: str
    command: tuple[str, ...]


@dataclass
class Series:
    """What a contestant's processes said, one element a round.

    Attributes:
        seconds: of the work itself, by the clock.
        cpu_seconds: of the processor, over all threads; a machine that does other work too disturbs them less.
        peak_mb: most memory the process held, in megabytes.
        rows: rows written, of the last round.
        steps: of each round, where the work has steps.
    """

    seconds: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)
    peak_mb: list[float] = field(default_factory=list)
    rows: int = 0
    steps: list[list[dict[str, Any]]] = field(default_factory=list)

    def without(self, leave_out: Callable[[str], bool]) -> "Series":
        """The same with only some of the steps, told by their names."""
        rounds = [[step for step in steps if not leave_out(step["step"])] for steps in self.steps]
        summed = {name: [sum(step[name] for step in steps) for steps in rounds] for name in ("seconds", "cpu_seconds")}
        peaks = [max(step["peak_mb"] for step in steps) for steps in rounds]
        return Series(**summed, peak_mb=peaks, rows=self.rows, steps=rounds)


def cx360(work: str) -> Contestant:
    """A function of ``work`` that is cx360."""
    return Contestant("cx360", (sys.executable, "-m", "bench.work", work))


def in_process(work: str) -> Contestant:
    """A function of ``work`` that is cx360 without Airflow."""
    return Contestant("the same steps in one process", (sys.executable, "-m", "bench.work", work))


def short(work: str) -> Contestant:
    """A function of ``work`` that is cx360 on a shorter history."""
    return Contestant("cx360, short history", (sys.executable, "-m", "bench.work", work))


def plain(work: str, name: str = "DuckDB") -> Contestant:
    """A function of ``work`` that is DuckDB alone."""
    return Contestant(name, (sys.executable, "-m", "bench.work", work))


def other(name: str, python: str, work: str) -> Contestant:
    """A library of ``customers_rivals``, by the Python of an environment that has it."""
    return Contestant(name, (python, str(BENCH / "customers_rivals.py"), work))


def splink(work: str) -> Contestant:
    """A function of ``work`` that is Splink alone."""
    return Contestant("Splink", (sys.executable, "-m", "bench.work", work))


def dlt(python: str) -> Contestant:
    """dlt, by the Python of the other environment."""
    return Contestant("dlt", (python, str(BENCH / "dlt_rival.py")))


def race(
    contestants: Sequence[Contestant],
    runs: int,
    folder: Path,
    say: Callable[[str], None],
    **arguments: Any,
) -> dict[str, Series]:
    """Let every contestant work once per round, in turn, each in an empty folder that is removed afterwards."""
    found = {c.name: Series() for c in contestants}
    for number in range(1, runs + 1):
        for contestant in contestants:
            series = found[contestant.name]
            _measure(contestant, series, folder, arguments)
            seconds = f"{series.seconds[-1]:.2f} s, {series.cpu_seconds[-1]:.2f} s of processor"
            say(f"  round {number} of {runs}: {contestant.name} {seconds}")
    return found


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """What cx360 took over what a rival took, round by round."""
    return [a / b for a, b in zip(ours, theirs, strict=True)]


def spread(values: Sequence[float], digits: int = 1) -> str:
    """Median, and least and most where there are several: ``2.1 (2.0 to 2.4)``."""
    text = f"{median(values):.{digits}f}"
    return text if len(values) == 1 else f"{text} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def _measure(contestant: Contestant, series: Series, folder: Path, arguments: dict[str, Any]) -> None:
    """Run one process; its own account comes from its output, its memory from the kernel.

    Raises:
        RuntimeError: it failed; the message has the beginning of what it said.
    """
    shutil.rmtree(folder, ignore_errors=True)
    errors = folder.with_suffix(".err")
    command = [*contestant.command, json.dumps({"folder": str(folder), **arguments})]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("CX360_") or k in _KEPT}
    with (
        errors.open("w") as target,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=target, cwd=BENCH.parent, env=environment) as process,
    ):
        assert process.stdout is not None
        output = process.stdout.read().decode()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{contestant.name} ended with {process.returncode}: {errors.read_text()[:2000]}")
    said = json.loads(output.splitlines()[-1])
    series.seconds.append(said["seconds"])
    series.cpu_seconds.append(said["cpu_seconds"])
    series.peak_mb.append(said.get("peak_mb", usage.ru_maxrss / 1000))
    series.rows = said["rows"]
    series.steps += [said["steps"]] if "steps" in said else []
    shutil.rmtree(folder, ignore_errors=True)
    errors.unlink()


#: Settings of the caller that hold for every process.
_KEPT = ("CX360_THREADS", "CX360_MEMORY_LIMIT")
