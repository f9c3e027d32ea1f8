"""The real bank: what is known of its files must come out of the tables, at an early day and at the last."""

import csv
import os
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from cx360 import ledger, pipeline
from cx360.engines import duckdb as duckdb_engine
from cx360.settings import PROJECT, Settings

pytestmark = [pytest.mark.real_data, pytest.mark.slow]

EARLY, LATE = date(2014, 3, 30), date(2019, 12, 31)


@pytest.fixture(scope="module")
def inbox() -> Path:
    return Path(os.environ["CX360_REAL_DATA"]) / "eagle_bank"


@pytest.fixture(scope="module")
def early(inbox: Path, new_home: Callable[[str], Settings]) -> Settings:
    home = new_home("eagle")
    home = home.model_copy(update={"inbox": inbox, "sources": str(PROJECT / "sources" / "eagle_bank")})
    pipeline.run_all(home, pipeline.Run(run_id="early", as_of=EARLY))
    return home


@pytest.fixture(scope="module")
def late(early: Settings) -> Settings:
    pipeline.run_all(early, pipeline.Run(run_id="late", as_of=LATE))
    return early


def rows(inbox: Path, name: str) -> list[dict[str, str]]:
    with (inbox / name).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def ask(home: Settings, sql: str) -> list[Any]:
    with ledger.session(home) as session:
        return [tuple(row) for row in session.execute(text(sql))]


def in_warehouse(home: Settings, sql: str) -> list[Any]:
    with duckdb_engine.connect(home, read_only=True) as db:
        return db.sql(sql).fetchall()


def test_at_an_early_day_only_what_had_happened_counts(early: Settings, inbox: Path) -> None:
    until = EARLY.isoformat()
    opened = {row["account_id"] for row in rows(inbox, "completedacct.csv") if row["parseddate"] <= until}
    people = {row["client_id"] for row in rows(inbox, "completeddisposition.csv") if row["account_id"] in opened}
    of_the_master = "coalesce(identified_by, 'nobody') in ('party', 'nobody')"  # callers it does not know are beside it
    types = f"select profile_type, count(*) from profile.customer_profile where {of_the_master} group by 1"
    found = dict(ask(early, types))
    assert found == {"customer": len(people), "prospect": 5369 - len(people), "unattributed": 1}
    counted = ask(early, "select sum(transaction_365d_count)::int from profile.customer_profile")[0][0]
    assert counted == sum("2013-03-30" < r["date"] <= until for r in rows(inbox, "transactions_2013_part.csv"))
    assert in_warehouse(early, HELD) == [(money(inbox, EARLY),)]
    (latest,) = ask(early, "select max(business_date) from profile.customer_timeline")
    assert latest[0] <= EARLY


def test_every_row_is_accounted_for(late: Settings, inbox: Path) -> None:
    landed = dict(ask(late, "select feed, sum(rows_in)::int from ops.deliveries group by 1"))
    assert landed == {
        "parties": 5369,
        "accounts": 4500,
        "account_parties": 5369,
        "holdings": 892 + 682 + 6471,
        "transactions": 49102,
        "call_logs": 3999,
        "complaints": 23419,
        "survey_responses": len(rows(inbox, "crm_reviews.csv")),
    }
    off = "select count(*) from ops.conservation where total_in <> accepted + repeated + quarantined + suppressed"
    assert ask(late, off) == [(0,)]


def money(inbox: Path, until: date) -> Decimal:
    """Credits less debits of the file up to a day."""
    sign = {"PRIJEM": 1, "VYDAJ": -1, "VYBER": -1}
    booked = [r for r in rows(inbox, "transactions_2013_part.csv") if r["date"] <= until.isoformat()]
    return sum((sign[r["type"]] * Decimal(r["amount"]) for r in booked), Decimal(0))


HELD = "select sum(credit_amount - debit_amount) from daily.int_money__daily"


def test_money_in_the_files_is_money_in_the_profiles(late: Settings, inbox: Path) -> None:
    assert in_warehouse(late, HELD) == [(money(inbox, LATE),)]


def test_calls_without_a_client_find_their_person_by_phone(late: Settings) -> None:
    found = in_warehouse(
        late,
        "select c.party_id is null, count(*), count(g.profile_id), count(m.profile_id) - count(g.profile_id)"
        " from staging.stg_call_logs as c"
        " left join identity.identity_map as m on m.identifier_type = c.subject_type and m.identifier = c.subject"
        " and m.valid_from <= c.business_date and m.valid_to > c.business_date"
        " left join (select distinct profile_id from identity.party_groups) as g on g.profile_id = m.profile_id"
        " group by 1 order by 1",
    )
    # Of people in the master, and of prospects known by their number alone.
    assert found == [(False, 2504, 2504, 0), (True, 1495, 1437, 58)]


def test_calls_without_an_id_are_kept_under_a_derived_one(late: Settings, inbox: Path) -> None:
    without = [r for r in rows(inbox, "crm_call_center_logs.csv") if not r["call_id"]]
    assert in_warehouse(late, "select count(*) from staging.stg_call_logs where call_id like 'd%-%'") == [
        (len(without),)
    ]


def test_last_balance_of_every_account_is_the_last_one_in_the_file(early: Settings, inbox: Path) -> None:
    """Where an account's last day has one booking nothing is left to decide."""
    by_account: dict[str, list[dict[str, str]]] = {}
    for row in rows(inbox, "transactions_2013_part.csv"):
        if row["date"] <= EARLY.isoformat():
            by_account.setdefault(row["account_id"], []).append(row)
    sure = {}
    for account, booked in by_account.items():
        last = max(r["date"] for r in booked)
        if Counter(r["date"] for r in booked)[last] == 1:
            sure[account] = Decimal(next(r["balance"] for r in booked if r["date"] == last))
    owner = {r["account_id"]: r["client_id"] for r in rows(inbox, "completeddisposition.csv") if r["type"] == "Owner"}
    alone = {c for c, n in Counter(owner.values()).items() if n == 1}
    expected = {owner[a]: balance for a, balance in sure.items() if owner[a] in alone}
    assert len(expected) > 500
    profiles = dict(in_warehouse(early, "select party_id, profile_id from identity.party_groups"))
    parquet = ask(early, f"select parquet_path from ops.publications where as_of = '{EARLY}' limit 1")[0][0]
    table = early.publications / parquet / "profile.customer_profile.parquet"
    found = dict(in_warehouse(early, f"select profile_id, balance_amount from read_parquet('{table}')"))
    assert {c: found[profiles[c]] for c in expected} == expected


def test_loans_are_held_from_their_opening_until_they_are_finished(late: Settings, inbox: Path) -> None:
    loans = rows(inbox, "completedloan.csv")

    def due(loan: dict[str, str]) -> str:
        months = int(loan["month"]) - 1 + int(loan["duration"])
        return f"{int(loan['year']) + months // 12}-{months % 12 + 1:02}-{int(loan['day']):02}"

    for day in (EARLY, LATE):
        held = [
            x for x in loans if x["fulldate"] <= day.isoformat() and (x["status"] in "CD" or due(x) > day.isoformat())
        ]
        parquet = ask(late, f"select parquet_path from ops.publications where as_of = '{day}' limit 1")[0][0]
        table = late.publications / parquet / "profile.customer_profile.parquet"
        found = in_warehouse(late, f"select sum(loan_count)::int from read_parquet('{table}')")
        assert found == [(len(held),)], day


def test_reviews_without_a_customer_are_in_the_metrics_and_in_nobodys_profile(late: Settings, inbox: Path) -> None:
    landed = rows(inbox, "crm_reviews.csv")
    counted = "select sum(n)::int from cx.cx_metrics_daily where metric = 'csat_mean' and dimension_set = 'total'"
    assert ask(late, counted) == [(len(landed),)]
    stars = (
        "select sum(value_sum) from cx.int_cx__metrics"
        " where metric = 'csat_mean' and dimension_set = 'total' and window_days = 1"
    )
    assert in_warehouse(late, stars) == [(sum(int(row["stars"]) for row in landed),)]
    assert ask(
        late,
        "select count(*) from profile.customer_profile"
        " where profile_type <> 'unattributed' and csat_answer_365d_count > 0",
    ) == [(0,)]


def test_what_the_bank_does_not_log_is_no_figure(late: Settings) -> None:
    metrics = {row[0] for row in ask(late, "select distinct metric from cx.cx_metrics_daily")}
    assert {"aht_seconds", "fcr_share", "csat_mean", "complaint_count"} <= metrics
    not_logged = {"wait_seconds", "abandonment_share", "service_level_share", "transfer_share", "calls_offered"}
    not_logged |= {"wait_median_seconds", "short_abandon_count"}
    unmeasured = "select count(measured_wait_seconds), count(*) filter (is_offered), count(transfer_count) from"
    assert in_warehouse(late, f"{unmeasured} cx.int_cx__calls") == [(0, 0, 0)]
    assert not (not_logged | {"nps_relationship", "response_share_relationship"}) & metrics
    app = "select count(app_event_30d_count), count(last_login_at) from profile.customer_profile"
    assert ask(late, app) == [(0, 0)]


# What follows reads the call log by hand: in csv rows, counters and the bank's clock, by nothing of cx360.

CALLS = "crm_call_center_logs.csv"
WEEK = 7 * 24 * 3600
NEW_YORK = ZoneInfo("America/New_York")


def _moment(row: dict[str, str], column: str) -> datetime:
    """A clock time of a call."""
    told = f"{row['date_received']} {row[column]}"
    return datetime.strptime(told, "%m/%d/%Y %H:%M:%S").replace(tzinfo=NEW_YORK)


def _day(row: dict[str, str]) -> date:
    return _moment(row, "ser_start").date()


def _seconds(row: dict[str, str]) -> int:
    """The agent's service."""
    return int(_moment(row, "ser_exit").timestamp() - _moment(row, "ser_start").timestamp())


def _taken(inbox: Path) -> list[dict[str, str]]:
    """Calls an agent took."""
    return [row for row in rows(inbox, CALLS) if row["outcome"].strip() == "AGENT"]


def test_handling_time_of_a_day_is_the_agents_service_time(late: Settings, inbox: Path) -> None:
    plain: dict[date, list[int]] = {}
    for row in _taken(inbox):
        plain.setdefault(_day(row), []).append(_seconds(row))
    assert sum(map(len, plain.values())) == 2580
    found = in_warehouse(
        late,
        "select metric_date, n, value_sum, value from cx.int_cx__metrics"
        " where metric = 'aht_seconds' and dimension_set = 'total' and window_days = 1",
    )
    assert {day: (n, total) for day, n, total, _ in found} == {d: (len(s), sum(s)) for d, s in plain.items()}
    assert all(value == pytest.approx(sum(plain[day]) / len(plain[day]), abs=1e-6) for day, _, _, value in found)
    told = ask(late, "select metric_date, n, value from cx.cx_metrics_daily where metric = 'aht_seconds' and n >= 30")
    assert told == []  # at most eight calls a day: n is told and no figure


def test_handling_time_of_an_agent_is_that_agents_service_time(late: Settings, inbox: Path) -> None:
    """Agent by agent and day by day; calls of no agent are in a row of their own."""
    plain: dict[tuple[str, date], list[int]] = {}
    for row in _taken(inbox):
        agent = "(unknown)" if row["server"] == "NO_SERVER" else row["server"]
        plain.setdefault((agent, _day(row)), []).append(_seconds(row))
    found = in_warehouse(
        late,
        "select agent_id, metric_date, handled_count, n, transfers_unknown_count, handle_seconds"
        " from cx.int_cx__agent_cells where window_days = 1",
    )
    assert len({agent for agent, _ in plain}) == 25
    assert {(agent, day): tuple(figures) for agent, day, *figures in found} == {
        key: (len(seconds), len(seconds), len(seconds), sum(seconds)) for key, seconds in plain.items()
    }
    # readers see n of every row, and seconds where enough calls stand behind them: over 90 days
    told = ask(
        late,
        "select agent_id, metric_date, window_days, n, handle_seconds, aht_seconds, is_hidden from cx.agent_handling",
    )
    shown = [row for row in told if not row[6]]
    assert {row[2] for row in told} == {1, 7, 28, 90} and len(shown) > 1000
    assert all(row[3] >= 5 for row in shown) and all(row[4] is None for row in told if row[6])
    assert all(row[5] is None for row in told if row[3] < 30 or row[6])
    for agent, day, days, n, total, *_ in shown[:: len(shown) // 200]:
        window = [plain.get((agent, day - timedelta(days=back)), []) for back in range(days)]
        assert (n, total) == (sum(map(len, window)), sum(map(sum, window))), (day, days)


def test_a_median_of_ninety_days_is_that_of_the_calls(late: Settings, inbox: Path) -> None:
    taken = [(_day(row), _seconds(row)) for row in _taken(inbox)]
    found = ask(
        late,
        "select metric_date, n, value, lower_bound, upper_bound from cx.cx_metrics_rolling"
        " where metric = 'handling_median_seconds' and dimension_set = 'total' and window_days = 90"
        " and value is not null order by 1",
    )
    assert len(found) > 500
    for day, n, value, lower, upper in found[::10]:
        seconds = [s for d, s in taken if day - timedelta(days=90) < d <= day]
        assert (n, value) == (len(seconds), median(seconds)), day
        assert lower in seconds and upper in seconds and lower <= value <= upper


def test_outcomes_are_those_of_the_file_and_unknown_stays_unknown(late: Settings, inbox: Path) -> None:
    names = {"AGENT": "handled", "HANG": "abandoned", "PHANTOM": "not_offered", "": "unknown"}
    plain = Counter((_day(row).year, names[row["outcome"].strip()]) for row in rows(inbox, CALLS))
    found = in_warehouse(late, "select year(business_date), outcome, count(*) from cx.int_cx__calls group by 1, 2")
    assert {(year, outcome): n for year, outcome, n in found} == plain
    shares = {outcome: sum(n for (_, name), n in plain.items() if name == outcome) for outcome in names.values()}
    assert shares == {"handled": 2580, "abandoned": 416, "not_offered": 19, "unknown": 984}


def _contacts(inbox: Path) -> dict[tuple[str, str], list[tuple[int, int, dict[str, str]]]]:
    """By person and topic the calls in time, beginning and end in seconds; what reached nobody is none.

    Complaints are no other contacts here: each has an issue, which is no topic of a call.
    """
    client = {row["phone"].replace("-", ""): row["client_id"] for row in rows(inbox, "completedclient.csv")}
    issues = {row["issue"].strip() for row in rows(inbox, "crm_events.csv")}
    found: dict[tuple[str, str], list[tuple[int, int, dict[str, str]]]] = {}
    for row in rows(inbox, CALLS):
        if row["outcome"].strip() != "PHANTOM":
            phone = row["phonefinal"].replace("-", "")
            person = row["client_id"] or client.get(phone) or f"somebody at {phone}"
            times = (int(_moment(row, name).timestamp()) for name in ("ser_start", "ser_exit"))
            found.setdefault((person, row["type"] or "(unknown)"), []).append((*times, row))
            assert row["type"] not in issues
    assert "" not in issues
    return {key: sorted(calls, key=lambda call: call[:2]) for key, calls in found.items()}


def test_repeated_calls_are_those_of_the_file_one_by_one(late: Settings, inbox: Path) -> None:
    plain = Counter(
        (start, end, any(0 <= start - before <= WEEK for _, before, _ in calls[:place]))
        for calls in _contacts(inbox).values()
        for place, (start, end, _) in enumerate(calls)
    )
    found = in_warehouse(
        late,
        "select epoch(c.started_at)::bigint, epoch(c.ended_at)::bigint, o.is_repeat = 1"
        " from cx.int_cx__call_operations as o join cx.int_cx__calls as c using (call_id) where c.is_contact",
    )
    assert Counter(found) == plain
    assert sum(n for (*_, is_repeat), n in plain.items() if is_repeat) == 5


def test_first_contacts_are_resolved_where_the_file_has_no_further_call(late: Settings, inbox: Path) -> None:
    plain: dict[date, list[bool]] = {}
    for (person, _), calls in _contacts(inbox).items():
        for place, (start, end, row) in enumerate(calls):
            is_first = not any(start - before <= WEEK for _, before, _ in calls[:place])
            if row["outcome"].strip() == "AGENT" and is_first and not person.startswith("somebody"):
                plain.setdefault(_day(row), []).append(not any(s - end <= WEEK for s, *_ in calls[place + 1 :]))
    found = in_warehouse(
        late,
        "select metric_date, n, value_sum from cx.int_cx__metrics"
        " where metric = 'fcr_share' and dimension_set = 'total' and window_days = 1 and n > 0",
    )
    assert {day: (n, settled) for day, n, settled in found} == {
        day: (len(settled), sum(settled)) for day, settled in plain.items()
    }
