"""What is dated after as_of, and what arrives after known_at, shows in no public table: values planted in every feed.

A model must not see the future: two banks differ only in what the answer must not know, and give the same answer.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.raw_bank import RawBank
from tests.pipeline.test_profile_and_cx import (
    AS_OF,
    DEVICE,
    FEEDS,
    NOBODYS_DEVICE,
    NOBODYS_PHONE,
    Row,
    _answer,
    _booking,
    _call,
    _entry,
    _event,
    _invitation,
    _leg,
    _message,
    _party,
    _score,
)

pytestmark = pytest.mark.slow

#: The first day after as_of, and one of the days before it.
LATER, BEFORE = "2026-04-01", "2026-03-05"
NEXT_ID = "k1:document:" + "9" * 32


def planted(day: str) -> dict[str, list[Row]]:
    """Rows of every feed of that day: of new keys, and of keys the bank knows, where a version can tell."""
    at = f"{day} 12:00+00"
    return {
        "parties": [
            _party("P1", city="Elsewhere", birth_year=1950, status="deceased", updated_at=at, document_token=NEXT_ID),
            _party("P3", city="Elsewhere", updated_at=at, document_token=NEXT_ID, phone_token=NOBODYS_PHONE),
            _party("P5", city="Elsewhere", updated_at=at, customer_since_date=day),
        ],
        "accounts": [
            {"account_id": "A1", "account_type": "savings", "currency": "EUR", "status": "closed", "closed_date": day,
             "opened_date": "2020-05-01", "updated_at": at},
            {"account_id": "A5", "account_type": "current", "currency": "EUR", "status": "open", "opened_date": day,
             "updated_at": at},
        ],
        "account_parties": [{"account_id": "A1", "party_id": "P4", "role": "owner"}],
        "holdings": [
            {"holding_id": "H1", "holding_type": "card", "account_id": "A1", "status": "closed", "closed_date": day},
            {"holding_id": "H9", "holding_type": "loan", "party_id": "P4", "status": "active", "opened_date": day},
        ],
        "fx_rates": [{"rate_date": day, "currency": "CHF", "quote_currency": "EUR", "rate": "2.00000"}],
        "transactions": [
            _booking("T90", "A1", day, "debit", "7000.00", balance_after_amount="1.00"),
            _booking("T91", "A9", day, "credit", "70.00", currency="CHF"),
        ],
        "app_events": [
            _event("E90", at, session_id="s9", device_token=NOBODYS_DEVICE, party_id="P3", event_name="login"),
            _event("E91", at, session_id="s9", device_token=DEVICE, party_id="P4", event_name="login"),
        ],
        "call_logs": [
            _call("C90", at, f"{day} 12:10+00", phone_token=NOBODYS_PHONE, party_id="P4"),
            _call("C91", at, f"{day} 12:10+00", party_id="P1"),
        ],
        "survey_responses": [_answer("S90", at, "nps", 0, party_id="P1"), _answer("S91", at, "csat", 1, party_id="P4")],
        "complaints": [
            {"complaint_id": "K1", "received_at": "2026-03-05 00:00+01", "party_id": "P3", "status": "closed",
             "closed_at": at, "updated_at": at, "product": "card", "issue": "card", "channel": "phone"},
            {"complaint_id": "K9", "received_at": at, "party_id": "P1", "status": "open", "updated_at": at},
        ],
        "risk_scores": [_score("R90", at, "P1", "fraud", "1000", "high")],
        "outreach": [
            _message("O1", "P1", "email", "2026-03-30", "2026-03-30", converted_at=at) | {"updated_at": at},
            _message("O90", "P1", "sms", day, day),
        ],
        "points_entries": [_entry("N90", "P1", day, 500, "2026-04-30")],
        "survey_invitations": [_invitation("I90", at, party_id="P1")],
        "call_legs": [_leg("C4-3", "C4", at, "bob", 4000), _leg("C5-1", "C5", at, "ada", 300)],
    }  # fmt: skip


def answers(bank: RawBank, target: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Rows of every public table as of AS_OF, without columns that tell of the run."""
    bank.build(AS_OF.isoformat(), full=True, models=["resource_type:model", "resource_type:seed"])
    manifest = json.loads((target / "manifest.json").read_text())
    tables = {}
    for node in manifest["nodes"].values():
        if node["resource_type"] == "model" and node["config"]["meta"].get("publish"):
            columns = [c for c in node["columns"] if not node["columns"][c].get("meta", {}).get("run_metadata")]
            name = f"{node['schema']}.{node['alias']}"
            tables[name] = bank.query(f"select {', '.join(columns)} from {name} order by all")
    return tables


@pytest.fixture(scope="module")
def new_bank(tmp_path_factory: pytest.TempPathFactory, target: Path) -> Callable[[], RawBank]:
    homes = iter(range(10))
    return lambda: RawBank(tmp_path_factory.mktemp("bank") / f"home{next(homes)}", target)


def delivered(bank: RawBank) -> int:
    """The hand-made bank, a delivery per feed; returns the last arrival number."""
    for number, (feed, rows) in enumerate(FEEDS.items(), start=1):
        bank.deliver(number, feed, AS_OF.isoformat(), rows)
    return len(FEEDS)


#: Nothing to tell of a handful of people over a month, and of texts that only landing reads.
QUIET = {"profile.rfm_cut_points"} | {
    f"cx.{name}"
    for name in (
        *("cx_alerts", "cx_benchmark_gaps", "cx_drivers", "cx_issue_priority", "cx_metric_moves"),
        *("hot_topics", "text_aspects", "text_sentiments", "topics_daily"),
    )
}


def test_nothing_dated_later_or_not_yet_known_shows(new_bank: Callable[[], RawBank]) -> None:
    plain = new_bank()
    known = delivered(plain)
    plain.open(known)
    expected = answers(plain, plain._target)
    empty = {name for name, rows in expected.items() if not rows}
    assert len(expected) >= 11 and empty <= QUIET

    planted_bank = new_bank()
    delivered(planted_bank)
    for number, (feed, rows) in enumerate(planted(LATER).items(), start=known + 1):
        planted_bank.deliver(number, feed, LATER, rows, source="core")
    later = known + len(planted(LATER))
    for number, (feed, rows) in enumerate(planted(BEFORE).items(), start=later + 1):
        planted_bank.deliver(number, feed, BEFORE, rows, source="core")
    planted_bank.open(later)
    found = answers(planted_bank, planted_bank._target)
    leaks = {
        name: {
            "more": sorted(set(found[name]) - set(rows), key=str),
            "less": sorted(set(rows) - set(found[name]), key=str),
        }
        for name, rows in expected.items()
        if found[name] != rows
    }
    assert leaks == {}

    planted_bank.open(later + len(planted(BEFORE)))
    told = answers(planted_bank, planted_bank._target)
    assert all(told[name] != rows for name, rows in expected.items() if name in SEES), "the plants must be such as show"


#: Tables that what is planted before as_of must change once it is known.
SEES = ("profile.customer_profile", "profile.customer_timeline", "profile.customer_identifiers", "cx.cx_metrics_daily")
