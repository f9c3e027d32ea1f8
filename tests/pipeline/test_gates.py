"""The gate of the deliveries: what it lets through, what it blocks, and what it says."""

import json
import pickle
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from cx360 import ledger, visibility
from cx360.contracts import FEEDS, load
from cx360.gates import GateFailed, GateReport, check_deliveries, suites
from cx360.ledger import Decision, GateResult
from cx360.settings import PROJECT, Settings
from tests.pipeline import gate_bank as bank

NEXT = bank.DAY + timedelta(days=1)
CANARY = "Zebedee Quixworth"


def visible(settings: Settings, known_at: int | None = None) -> list[int]:
    with ledger.session(settings) as session:
        return visibility.visible_arrivals(session, settings, known_at)


def results(settings: Settings, arrival: int, rule: str | None = None) -> list[GateResult]:
    with ledger.session(settings) as session:
        found = select(GateResult).where(GateResult.arrival_number == arrival).order_by(GateResult.gate_result_id)
        return [r for r in session.scalars(found) if rule in (None, r.rule)]


def decide(settings: Settings, kind: str, arrival: int) -> None:
    with ledger.session(settings) as session:
        session.add(Decision(kind=kind, arrival_number=arrival, reason="looked at it", decided_by="anna"))


def blocked(settings: Settings, feed: str) -> GateReport:
    with pytest.raises(GateFailed) as failed:
        check_deliveries(settings, feed, "run")
    return failed.value.report


def own_suite(settings: Settings, feed: str, change: Callable[[dict[str, Any]], None]) -> Path:
    """The bank's own suite of a feed: the shipped one with a change."""
    suite = json.loads((PROJECT / f"expectations/delivery/{feed}.json").read_text())
    change(suite)
    path = settings.home / f"config/expectations/delivery/{feed}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(suite))
    return path


# One seeded defect per blocking rule: (settings, feed) -> the delivery with the defect.
Defect = Callable[[Settings, str], int]


def _late(feed: str) -> dict[str, Any]:
    return {str(load()[feed].event_time): bank.DAY + timedelta(days=400)}


DEFECTS: dict[str, Defect] = {
    "readable": lambda s, f: bank.deliver(s, f, [], outcome="unreadable", message="not gzip", lake_path=None),
    "rows_conserved": lambda s, f: bank.deliver(s, f, lost=1),
    "rows_stored": lambda s, f: bank.deliver(s, f, bank.rows(f, 10, **_free(f)), stored=bank.rows(f, 9, **_free(f))),
    "keys_once": lambda s, f: bank.deliver(s, f, bank.rows(f, 1) * 2),
    "control_rows": lambda s, f: bank.deliver(s, f, expected={"rows": 11}),
    "quarantine_limit": lambda s, f: bank.deliver(s, f, quarantined=10),
    "first_load_not_empty": lambda s, f: bank.deliver(s, f, [], source="other_bank"),
    "dates_after_delivery": lambda s, f: bank.deliver(s, f, bank.rows(f, **_late(f))),
    "snapshot_shrink": lambda s, f: bank.deliver(s, f, bank.rows(f, 6), day=NEXT),
    "party_id_in_master": lambda s, f: bank.deliver(s, f, bank.rows(f, party_id="X{n}"), day=NEXT),
    "account_id_in_master": lambda s, f: bank.deliver(s, f, bank.rows(f, account_id="X{n}")),
    "money_conserved": lambda s, f: bank.deliver(s, f, lost_money=Decimal("0.01")),
    "money_stored": lambda s, f: bank.deliver(s, f, stored=bank.rows(f, amount=Decimal("10.01"))),
    "control_amount": lambda s, f: bank.deliver(s, f, expected={"rows": 10, "amount": "99.99"}),
}


def _free(feed: str) -> dict[str, Any]:
    """Rows without money, so that a lost one is not lost money as well."""
    return {"amount": Decimal(0)} if load()[feed].money else {}


def _blocking_rules() -> list[tuple[str, str]]:
    found = []
    for path in sorted((PROJECT / "expectations/delivery").glob("*.json")):
        feed = "transactions" if path.stem == suites.EVERY_FEED else path.stem
        found += [(feed, rule.name) for rule in suites.read(path).rules if rule.level == "block"]
    return found


@pytest.mark.parametrize(("feed", "rule"), _blocking_rules())
def test_a_seeded_defect_is_blocked_by_its_rule_and_by_no_other(settings: Settings, feed: str, rule: str) -> None:
    bank.masters(settings)
    sound = bank.deliver(settings, feed)
    bad = DEFECTS[rule](settings, feed)
    after = bank.deliver(settings, feed, day=NEXT + timedelta(days=1))

    report = blocked(settings, feed)

    assert [(v.arrival_number, v.rule, v.outcome) for v in report.blocking] == [(bad, rule, "failed")]
    assert bad not in visible(settings)
    assert {sound, after} <= set(visible(settings))


def test_every_feed_has_a_suite_and_its_sound_delivery_passes(settings: Settings) -> None:
    bank.masters(settings)
    for feed in FEEDS:
        number = bank.deliver(settings, feed, expected={"rows": 10})
        report = check_deliveries(settings, feed, "run")
        assert [v.sentence() for v in report.verdicts if v.outcome != "passed"] == []
        assert number in visible(settings)


def test_a_delivery_may_bring_several_versions_of_a_key(settings: Settings) -> None:
    bank.masters(settings)
    versions = [row for day in (bank.DAY, NEXT) for row in bank.rows("outreach", updated_at=day)]
    number = bank.deliver(settings, "outreach", versions)
    check_deliveries(settings, "outreach", "run")
    assert number in visible(settings)


def test_the_first_delivery_says_that_it_has_no_history(settings: Settings) -> None:
    first, second = bank.deliver(settings, "transactions"), bank.deliver(settings, "transactions", day=NEXT)
    check_deliveries(settings, "transactions", "run")

    (said,) = results(settings, first, "volume_against_history")
    assert said.outcome == "passed"
    assert said.detail == "no history: first delivery of this feed from this source"
    assert said.observed is None
    (said,) = results(settings, second, "volume_against_history")
    assert (said.outcome, said.observed, said.detail) == ("passed", "volume_ratio 1", None)


def test_a_warning_is_recorded_and_does_not_block(settings: Settings) -> None:
    header_only = bank.deliver(settings, "app_events", [])
    report = check_deliveries(settings, "app_events", "run")

    assert report.summary()["warnings"] == ["not_empty"]
    (said,) = results(settings, header_only, "not_empty")
    assert (said.level, said.outcome, said.observed, said.run_id) == ("warn", "failed", "rows_in 0", "run")
    assert said.detail and said.reason
    assert visible(settings) == [header_only]


def test_one_bad_row_of_a_few_does_not_block(settings: Settings) -> None:
    bank.deliver(settings, "complaints", bank.rows("complaints", 2), quarantined=1)
    report = check_deliveries(settings, "complaints", "run")
    assert report.summary()["warnings"] == ["party_id_mostly_in_master", "quarantine_usual"][1:]


def test_references_are_not_judged_before_the_master_came(settings: Settings) -> None:
    number = bank.deliver(settings, "transactions")
    check_deliveries(settings, "transactions", "run")
    (said,) = results(settings, number, "account_id_in_master")
    assert said.outcome == "passed"
    assert "no accounts to compare with" in str(said.detail)


def test_a_delivery_is_judged_once(settings: Settings) -> None:
    number = bank.deliver(settings, "fx_rates")
    check_deliveries(settings, "fx_rates", "run 1")
    assert check_deliveries(settings, "fx_rates", "run 2").checked == 0
    assert {r.run_id for r in results(settings, number)} == {"run 1"}


def test_nothing_to_judge_does_not_import_great_expectations(settings: Settings) -> None:
    code = """
import sys
from cx360.gates import check_deliveries
from cx360.settings import Settings
assert check_deliveries(Settings(), "parties", "run").checked == 0
heavy = {"great_expectations", "pandas", "duckdb"} & set(sys.modules)
assert not heavy, heavy
"""
    assert settings.database_url is not None
    env = {
        "CX360_HOME": str(settings.home),
        "CX360_DATABASE_URL": settings.database_url.get_secret_value(),
        "PYTHONPATH": str(PROJECT / "plugins"),
    }
    subprocess.run([sys.executable, "-c", code], env=env, check=True)


def test_many_failing_deliveries_are_all_found(settings: Settings) -> None:
    bad = [bank.deliver(settings, "fx_rates", expected={"rows": 11}) for _ in range(30)]
    good = bank.deliver(settings, "fx_rates")
    report = blocked(settings, "fx_rates")
    assert report.blocked == bad
    assert visible(settings) == [good]
    message = str(GateFailed(report))
    assert message.count("\n- delivery") == 10
    assert "and 20 more" in message


def test_the_message_says_what_was_expected_found_and_to_do(settings: Settings) -> None:
    bad = bank.deliver(settings, "fx_rates", expected={"rows": 11}, delivery_name="2024-03-04/fx.csv")
    with pytest.raises(GateFailed) as failed:
        check_deliveries(settings, "fx_rates", "run")
    assert str(failed.value).startswith("gate delivery.fx_rates blocks 1 of 1 deliveries\n")
    assert (
        f"- delivery {bad} (2024-03-04/fx.csv of bank): rule control_rows failed; expected control_rows_difference 0,"
        " observed control_rows_difference -1. Ask the source for the file again" in str(failed.value)
    )
    assert str(pickle.loads(pickle.dumps(failed.value))) == str(failed.value)


def test_an_unreadable_delivery_fails_with_what_landing_said(settings: Settings) -> None:
    number = bank.deliver(settings, "parties", [], outcome="unreadable", message="the gzip is cut off")
    blocked(settings, "parties")
    (only,) = results(settings, number)
    assert (only.rule, only.outcome, only.detail) == ("readable", "failed", "the gzip is cut off")
    assert visible(settings) == []


@pytest.mark.parametrize(
    ("change", "trouble"),
    [
        ({"kwargs": {"column": "no_such_fact", "max_value": 1}}, "no_such_fact"),
        ({"type": "expect_column_values_to_be_betwen"}, "does not know this expectation"),
        ({"kwargs": {"column": "rows_in", "min_value": "ten"}}, "or its arguments"),
        ({"type": "expect_column_mean_to_be_between"}, "does not tell which rows"),
    ],
)
def test_what_cannot_be_checked_blocks_and_is_taken_up_again(
    settings: Settings, change: dict[str, Any], trouble: str
) -> None:
    def breakage(suite: dict[str, Any]) -> None:
        rule = suite["expectations"][-1]
        rule |= {"severity": "critical", "kwargs": {"column": "rows_in", "min_value": 99}} | change
        rule["meta"] = {"rule": "ours", "next": "look"}

    number = bank.deliver(settings, "fx_rates")
    path = own_suite(settings, "fx_rates", breakage)
    report = blocked(settings, "fx_rates")

    assert [(v.rule, v.outcome) for v in report.blocking] == [("ours", "could not check")]
    assert trouble in str(report.blocking[0].detail)
    assert visible(settings) == []

    path.unlink()
    assert check_deliveries(settings, "fx_rates", "run 2").checked == 1
    assert visible(settings) == [number]


def test_a_warning_that_cannot_be_checked_does_not_block(settings: Settings) -> None:
    def breakage(suite: dict[str, Any]) -> None:
        warning = next(e for e in suite["expectations"] if e["severity"] == "warning")
        warning["kwargs"]["column"] = "no_such_fact"

    number = bank.deliver(settings, "fx_rates")
    own_suite(settings, "fx_rates", breakage)
    check_deliveries(settings, "fx_rates", "run")
    assert "could not check" in {r.outcome for r in results(settings, number)}
    assert visible(settings) == [number]
    assert check_deliveries(settings, "fx_rates", "run 2").checked == 0


def test_a_damaged_file_of_the_lake_takes_no_sibling_with_it(settings: Settings) -> None:
    good, bad = bank.deliver(settings, "fx_rates"), bank.deliver(settings, "fx_rates", lake_path="fx_rates/broken")
    (settings.lake / "fx_rates/broken").write_bytes(b"PAR1 half a file")
    report = blocked(settings, "fx_rates")
    assert {(v.arrival_number, v.outcome) for v in report.blocking} == {(bad, "could not check")}
    assert visible(settings) == [good]


def test_a_release_lets_a_blocked_delivery_in_and_a_drop_keeps_a_good_one_out(settings: Settings) -> None:
    good, bad = bank.deliver(settings, "fx_rates"), bank.deliver(settings, "fx_rates", quarantined=10)
    unjudged = bank.deliver(settings, "parties")
    decide(settings, "release", unjudged)
    blocked(settings, "fx_rates")
    assert visible(settings) == [good]
    decide(settings, "release", bad)
    assert visible(settings) == [good, bad]
    decide(settings, "drop", good)
    assert visible(settings) == [bad]
    decide(settings, "drop", bad)
    assert visible(settings) == []
    decide(settings, "release", good)
    assert visible(settings, known_at=good) == [good]
    assert visible(settings, known_at=good - 1) == []


def test_the_files_of_a_snapshot_are_seen_together_or_not_at_all(settings: Settings) -> None:
    bank.masters(settings)
    before = bank.deliver(settings, "holdings")
    part = bank.deliver(settings, "holdings", bank.rows("holdings", 8, holding_id="I{n}"), day=NEXT)
    other = bank.deliver(settings, "holdings", bank.rows("holdings", 8, holding_id="J{n}"), day=NEXT, quarantined=9)
    assert blocked(settings, "holdings").blocked == [other]
    assert visible(settings) == [before]
    decide(settings, "drop", other)
    assert visible(settings) == [before, part]
    decide(settings, "release", other)
    assert visible(settings) == [before, part, other]


def test_a_snapshot_in_several_files_has_not_shrunk(settings: Settings) -> None:
    bank.masters(settings)
    bank.deliver(settings, "holdings")
    for prefix in "IJ":
        bank.deliver(settings, "holdings", bank.rows("holdings", 5, holding_id=prefix + "{n}"), day=NEXT)
    assert check_deliveries(settings, "holdings", "run").blocked == []


def test_a_snapshot_delivered_again_under_another_name_is_not_twice_as_large(settings: Settings) -> None:
    """Else the next day's whole snapshot seems to have shrunk by half."""
    bank.masters(settings)
    first = bank.deliver(settings, "holdings")
    with ledger.session(settings) as session:
        made = session.get_one(ledger.Delivery, first)
        same = {"content_hash": made.content_hash, "lake_path": made.lake_path}
    bank.deliver(settings, "holdings", **same)
    bank.deliver(settings, "holdings", bank.rows("holdings", 9, holding_id="I{n}"), day=NEXT)
    assert check_deliveries(settings, "holdings", "run").blocked == []


def test_history_leaves_blocked_deliveries_out(settings: Settings) -> None:
    for n in range(3):
        bank.deliver(settings, "transactions", day=bank.DAY + timedelta(days=n))
    huge = bank.rows("transactions", 500)
    for _ in range(3):
        bank.deliver(settings, "transactions", huge, expected={"rows": 1})
    blocked(settings, "transactions")
    usual = bank.deliver(settings, "transactions", day=bank.DAY + timedelta(days=4))
    check_deliveries(settings, "transactions", "run")
    (said,) = results(settings, usual, "volume_against_history")
    assert said.observed == "volume_ratio 1"


def test_nothing_personal_leaves_the_gate(
    settings: Settings, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    texts = [name for name, sql, _ in load()["transactions"].lake_columns if sql == "varchar"]
    planted = bank.rows("transactions", 5, **dict.fromkeys(texts, f"{CANARY} {{n}}"))
    bank.masters(settings)
    bank.deliver(settings, "transactions", planted * 2, quarantined=20, expected={"rows": 1, "amount": "1"})

    def breakage(suite: dict[str, Any]) -> None:
        suite["expectations"][-1]["kwargs"]["column"] = "no_such_fact"

    own_suite(settings, "transactions", breakage)
    with pytest.raises(GateFailed) as failed:
        check_deliveries(settings, "transactions", "run")

    pages = "".join(path.read_text() for path in (settings.reports / "data_docs").iterdir())
    assert "known_account_id_share_high" in pages
    with ledger.session(settings) as session:
        rows = str([vars(r) for r in session.scalars(select(GateResult))])
    out = capfd.readouterr()
    for place in (pages, rows, str(failed.value), repr(failed.value.report), out.out, out.err, caplog.text):
        assert CANARY not in place
    assert "Traceback" not in out.err + out.out + pages


def test_data_docs_call_nothing_home(settings: Settings) -> None:
    bank.deliver(settings, "fx_rates")
    check_deliveries(settings, "fx_rates", "run")
    folder = settings.reports / "data_docs"
    assert sorted(path.name for path in folder.iterdir()) == ["delivery.fx_rates.html", "index.html"]
    page = (folder / "delivery.fx_rates.html").read_text()
    assert "control_rows_difference" in page
    assert re.findall(r"(?:src=|url\(|<link[^>]*href=)['\"]?https?:[^'\">]*", page) == []


def test_a_suite_without_reasons_is_refused(settings: Settings) -> None:
    bank.deliver(settings, "fx_rates")
    path = own_suite(settings, "fx_rates", lambda suite: suite["expectations"][0].pop("notes"))
    with pytest.raises(suites.SuiteError, match=r"delivery/fx_rates\.json, rule dates_after_delivery: needs .*notes"):
        check_deliveries(settings, "fx_rates", "run")
    path.unlink()


def test_a_feed_may_replace_a_rule_of_every_feed(settings: Settings) -> None:
    def replace(suite: dict[str, Any]) -> None:
        rule = suite["expectations"][0]
        rule["kwargs"] = {"column": "quarantined_share_low", "max_value": 0.9}
        rule["meta"]["rule"] = "quarantine_limit"

    number = bank.deliver(settings, "fx_rates", quarantined=10)
    own_suite(settings, "fx_rates", replace)
    check_deliveries(settings, "fx_rates", "run")
    assert visible(settings) == [number]


def test_rows_of_long_ago_are_only_remarked_on(settings: Settings) -> None:
    bank.deliver(settings, "app_events")
    long_ago = bank.rows("app_events", occurred_at=date(2019, 1, 1))
    bank.deliver(settings, "app_events", long_ago)  # the first day brings the history
    old = bank.deliver(settings, "app_events", long_ago, day=NEXT)
    report = check_deliveries(settings, "app_events", "run")
    assert [(v.arrival_number, v.rule) for v in report.warnings] == [(old, "late_rows")]
