"""The real bank: what is known of its files must come out of the tables, at an early day and at the last."""

import csv
import os
from collections import Counter
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

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
    reviews = len(rows(inbox, "crm_reviews.csv"))
    counted = "select sum(n)::int from cx.cx_metrics_daily where metric = 'csat_mean' and dimension_set = 'total'"
    assert ask(late, counted) == [(reviews,)]
    assert ask(
        late,
        "select count(*) from profile.customer_profile"
        " where profile_type <> 'unattributed' and csat_answer_365d_count > 0",
    ) == [(0,)]


def test_what_the_bank_does_not_log_is_no_figure(late: Settings) -> None:
    metrics = {row[0] for row in ask(late, "select distinct metric from cx.cx_metrics_daily")}
    assert {"aht_seconds", "fcr_share", "csat_mean", "complaint_count"} <= metrics
    not_logged = {"wait_seconds", "abandonment_share", "service_level_share", "transfer_share", "calls_offered"}
    assert not (not_logged | {"nps_relationship", "response_share_relationship"}) & metrics
    app = "select count(app_event_30d_count), count(last_login_at) from profile.customer_profile"
    assert ask(late, app) == [(0, 0)]


def test_handling_time_of_a_day_is_the_agents_service_time(late: Settings, inbox: Path) -> None:
    """Worked from the file: calls an agent took on the busiest day."""
    taken = [r for r in rows(inbox, "crm_call_center_logs.csv") if r["outcome"].strip() == "AGENT"]
    day = Counter(r["date_received"] for r in taken).most_common(1)[0][0]
    seconds = [_seconds(r["ser_exit"]) - _seconds(r["ser_start"]) for r in taken if r["date_received"] == day]
    month, of_month, year = map(int, day.split("/"))
    (found,) = ask(
        late,
        "select n, numerator_sum, is_reliable from cx.cx_metrics_daily"
        " where metric = 'aht_seconds' and dimension_set = 'total'"
        f" and metric_date = '{date(year, month, of_month)}'",
    )
    assert found == (len(seconds), sum(seconds), len(seconds) >= 30)


def _seconds(clock: str) -> int:
    hours, minutes, seconds = map(int, clock.split(":"))
    return hours * 3600 + minutes * 60 + seconds
