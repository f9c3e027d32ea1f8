"""Delivery: the gate every delivery passes before staging may read it.

Here belongs the order of one check: what is to be judged, its facts, its suite, its verdicts, their record.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import select

from cx360 import visibility
from cx360.gates import suites
from cx360.gates.facts import REFERENCES, Evidence
from cx360.gates.report import GateReport, Outcome, Verdict
from cx360.gates.suites import Rule, Suite
from cx360.settings import Settings

if TYPE_CHECKING:
    import pandas as pd
    from sqlalchemy.orm import Session

    from cx360.gates.checking import Finding
    from cx360.ledger import Delivery

#: The rule that judges a delivery no row could be taken from; the others have nothing to judge then.
READABLE = "readable"


def check_deliveries(settings: Settings, feed: str, run_id: str) -> GateReport:
    """Judge every delivery of a feed that has no verdict yet, each for itself, and record what was found.

    A delivery whose last check could not judge a blocking rule is taken up again. Great Expectations is left alone
    when there is nothing to judge.

    Args:
        settings: of the deployment.
        feed: a contract's feed.
        run_id: name of the run in the ledger.

    Raises:
        GateFailed: deliveries were blocked; they stay invisible until a decision releases them. The others went
            through, and everything is recorded.
    """
    from cx360 import ledger

    gate = f"delivery.{feed}"
    with ledger.session(settings) as session:
        evidence = _evidence(session, settings, feed)
    if evidence is None:
        return GateReport(gate, 0)
    verdicts = _judge(settings, suites.of_delivery(settings, feed), evidence)
    report = GateReport(gate, len(evidence.deliveries), verdicts)
    with ledger.session(settings) as session:
        report.record(session, run_id)
    report.raise_if_blocked()
    return report


def _evidence(session: "Session", settings: Settings, feed: str) -> Evidence | None:
    """What the ledger knows; None when no delivery waits for a verdict."""
    from cx360.contracts import load
    from cx360.ledger import Conservation, Delivery

    pending = set(visibility.pending_arrivals(session, feed))
    if not pending:
        return None
    shut = set(visibility.shut_arrivals(session, feed)) - pending
    of_feed = session.scalars(select(Delivery).where(Delivery.feed == feed).order_by(Delivery.arrival_number)).all()
    totals = session.scalars(select(Conservation).where(Conservation.arrival_number.in_(pending))).all()
    paths = session.execute(
        select(Delivery.feed, Delivery.lake_path)
        .where(
            Delivery.feed.in_({master for master, _ in REFERENCES.get(feed, {}).values()}),
            Delivery.outcome == "landed",
            Delivery.rows_accepted > 0,
        )
        .distinct()
    )
    masters: dict[str, list[str]] = {}
    for master, path in paths:
        masters.setdefault(master, []).append(str(path))
    return Evidence(
        contract=load(settings)[feed],
        deliveries=[d for d in of_feed if d.arrival_number in pending],
        conservation=list(totals),
        history=[d for d in of_feed if d.outcome == "landed" and d.arrival_number not in shut],
        masters=masters,
    )


def _judge(settings: Settings, suite: Suite, evidence: Evidence) -> list[Verdict]:
    """Verdicts of every delivery."""
    readable = [d for d in evidence.deliveries if d.outcome == "landed"]
    verdicts = [_unreadable(suite, d) for d in evidence.deliveries if d.outcome != "landed"]
    if not readable:
        return verdicts
    from cx360.gates import checking, docs

    facts, trouble = _facts(settings, replace(evidence, deliveries=readable))
    findings: dict[str, Finding] = {}
    rows: dict[int, dict[str, object]] = {}
    if facts is not None:
        checked = checking.check_frame(suite, facts, "arrival_number")
        docs.write(settings, suite.name, checked.result)
        findings = checked.findings
        rows = {int(row["arrival_number"]): row for row in facts.to_dict("records")}
    for delivery in readable:
        row = rows.get(delivery.arrival_number)
        for rule in suite.rules:
            if row is None:
                verdicts.append(_unchecked(rule, delivery, trouble[delivery.arrival_number]))
            else:
                verdicts.append(_verdict(rule, delivery, row, findings[rule.name]))
    return verdicts


def _facts(settings: Settings, evidence: Evidence) -> "tuple[pd.DataFrame | None, dict[int, str]]":
    """The facts of all at once; where that breaks, of each alone, and what kept the others from being counted."""
    import duckdb
    import pandas as pd

    from cx360.gates import facts

    try:
        return facts.gather(settings, evidence), {}
    except duckdb.Error:
        frames, trouble = [], {}
    for delivery in evidence.deliveries:
        try:
            frames.append(facts.gather(settings, replace(evidence, deliveries=[delivery])))
        except duckdb.Error as error:
            what = f"its rows in the lake, or its master's, cannot be read ({type(error).__name__})"
            trouble[delivery.arrival_number] = what
    return pd.concat(frames, ignore_index=True) if frames else None, trouble


def _verdict(rule: Rule, delivery: "Delivery", facts: dict[str, object], finding: "Finding") -> Verdict:
    """What a rule says of one delivery; missing values, which Great Expectations leaves out, are judged here."""
    value = facts.get(rule.column or "")
    missing = rule.column is not None and (value is None or value != value)  # not a number: not itself
    if finding.outcome == "could not check":
        return _unchecked(rule, delivery, finding.trouble)
    if missing and rule.without_value is None:
        return _unchecked(rule, delivery, f"{rule.column} could not be counted")
    if delivery.arrival_number in finding.failed:
        return _made(rule, delivery, "failed", f"{rule.column} {_number(value)}", rule.next)
    if missing:
        return _made(rule, delivery, "passed", None, rule.without_value)
    return _made(rule, delivery, "passed", f"{rule.column} {_number(value)}", None)


def _unchecked(rule: Rule, delivery: "Delivery", trouble: str | None) -> Verdict:
    detail = f"{trouble}. Mend that; the next run checks it again."
    return _made(rule, delivery, "could not check", None, detail)


def _unreadable(suite: Suite, delivery: "Delivery") -> Verdict:
    """The verdict on a delivery no row could be taken from."""
    rule = next(rule for rule in suite.rules if rule.name == READABLE)
    return _made(rule, delivery, "failed", f"{rule.column} 0", delivery.message or rule.next)


def _made(rule: Rule, delivery: "Delivery", outcome: Outcome, observed: str | None, detail: str | None) -> Verdict:
    return Verdict(
        rule=rule.name,
        level=rule.level,
        outcome=outcome,
        expected=rule.expected,
        observed=observed,
        reason=rule.reason,
        detail=detail,
        arrival_number=delivery.arrival_number,
        subject=f"delivery {delivery.arrival_number} ({delivery.delivery_name} of {delivery.source})",
    )


def _number(value: object) -> str:
    return f"{value:.10g}" if isinstance(value, float) else str(value)
