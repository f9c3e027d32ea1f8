"""What a session of pytest must prove: every test that docs/requirements.csv names ran and passed.

Under xdist the process that started the others gets every report, so it judges. Only ``--prove-requirements`` asks for
this (``make test`` does). Tests marked real_data are not selected where CX360_REAL_DATA is not set, and are then not
asked for; the summary says so.
"""

import csv
import os
from pathlib import Path

import pytest

REQUIREMENTS = Path(__file__).resolve().parents[1] / "docs" / "requirements.csv"

_reports = pytest.StashKey[dict[str, set[str]]]()
_left_out = pytest.StashKey[set[str]]()
_unproven = pytest.StashKey[dict[str, str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--prove-requirements",
        action="store_true",
        help="fail when a test named in docs/requirements.csv did not run and pass",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_reports], config.stash[_left_out], config.stash[_unproven] = {}, set(), {}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if os.environ.get("CX360_REAL_DATA"):
        return
    real = [item for item in items if item.get_closest_marker("real_data")]
    if real:
        config.stash[_left_out] |= {_test(item.nodeid) for item in real}
        config.hook.pytest_deselected(items=real)
        items[:] = [item for item in items if item not in real]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object) -> None:
    """A worker ended: take over what it left out."""
    node.config.stash[_left_out] |= set(getattr(node, "workeroutput", {}).get("left_out", ()))  # type: ignore[attr-defined]


class _Collector:
    """Receives reports in the process that judges; pytest's logreport hook has no config."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.config.stash[_reports].setdefault(_test(report.nodeid), set()).add(report.outcome)


def pytest_sessionstart(session: pytest.Session) -> None:
    session.config.pluginmanager.register(_Collector(session.config))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    config = session.config
    if hasattr(config, "workeroutput"):
        config.workeroutput["left_out"] = sorted(config.stash[_left_out])
        return
    if config.getoption("--prove-requirements"):
        config.stash[_unproven] = unproven(config.stash[_reports], config.stash[_left_out])
        if config.stash[_unproven] and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if config.stash[_left_out]:
        terminalreporter.write_line(f"{len(config.stash[_left_out])} tests need CX360_REAL_DATA and were not selected")
    if config.stash[_unproven]:
        terminalreporter.section("requirements without proof", red=True)
        for name, requirement in config.stash[_unproven].items():
            terminalreporter.write_line(f"{requirement}: {name} did not run and pass")


def read() -> list[dict[str, str]]:
    """Rows of docs/requirements.csv: id, delivers, test."""
    with REQUIREMENTS.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def unproven(outcomes: dict[str, set[str]], left_out: set[str]) -> dict[str, str]:
    """Named tests without proof, with the ids that name them.

    Args:
        outcomes: of every phase of every test that ran, by ``file::test``; all cases of a test together.
        left_out: tests that were not selected on purpose.
    """
    missing: dict[str, list[str]] = {}
    for row in read():
        if row["test"] not in left_out and outcomes.get(row["test"]) != {"passed"}:
            missing.setdefault(row["test"], []).append(row["id"])
    return {test: ", ".join(dict.fromkeys(ids)) for test, ids in missing.items()}


def _test(nodeid: str) -> str:
    """``file::test`` without the case in brackets."""
    return nodeid.split("[", 1)[0]
