"""Profile, metrics, timeline and features from hand-made raw rows, with the answers worked out by hand.

Here belong facts about what the models say; how rows arrive belongs to the tests of landing and of the whole run.
"""

import json
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
import yaml

from cx360 import engines, warehouse
from cx360.contracts import load
from cx360.engines import duckdb as duckdb_engine
from cx360.settings import Settings

Row = dict[str, Any]

AS_OF = date(2026, 3, 31)
FCR_FINAL_UNTIL = date(2026, 3, 24)  # the last day whose 7 days are over at as_of

#: Anna has two party records; Bob shares her account; Carl has no product.
GROUPS = {"P1": "anna", "P2": "anna", "P3": "bob", "P4": "carl"}
OWN_IDS = {"P2": "anna alone in P2"}
HOUSEHOLDS = {"anna": "h1", "bob": "h1", "carl": "h2"}

#: Anna's login and device, which are subjects of an event each, and the ids they had while they were nobody's.
LOGIN, LOGIN_ID = "k1:app_user:" + "a" * 32, "p" + "a" * 24
DEVICE, DEVICE_ID = "k1:device:" + "b" * 32, "p" + "b" * 24

#: Identifiers nobody holds, and the prospects they stand for.
NOBODYS_DEVICE, NOBODYS_PHONE = "k1:device:" + "d" * 32, "k1:phone:" + "f" * 32
DEVICE_PROSPECT, CALLER_PROSPECT = "p" + "d" * 24, "p" + "f" * 24


def _party(party_id: str, **values: Any) -> Row:
    return {"party_id": party_id, "party_type": "person", "status": "active"} | values


def _booking(transaction_id: str, account: str, day: str, direction: str, amount: str, **values: Any) -> Row:
    return {
        "transaction_id": transaction_id,
        "account_id": account,
        "booked_date": day,
        "direction": direction,
        "amount": amount,
        "currency": "EUR",
        "status": "booked",
        "category": "payment",
    } | values


def _event(event_id: str, at: str, **values: Any) -> Row:
    return {
        "event_id": event_id,
        "occurred_at": at,
        "event_name": "screen",
        "platform": "ios",
        "is_error": False,
    } | values


def _call(call_id: str, at: str, ended: str, **values: Any) -> Row:
    return {
        "call_id": call_id,
        "started_at": at,
        "queued_at": at,
        "ended_at": ended,
        "direction": "inbound",
        "outcome": "handled",
        "topic": "card",
    } | values


def _leg(leg_id: str, call_id: str, at: str, agent_id: str | None, handle_seconds: int | None) -> Row:
    return {
        "leg_id": leg_id,
        "call_id": call_id,
        "began_at": at,
        "agent_id": agent_id,
        "handle_seconds": handle_seconds,
    }


def _answer(response_id: str, at: str, family: str, score: int | None, **values: Any) -> Row:
    scale = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7)}[family]
    return {
        "response_id": response_id,
        "responded_at": at,
        "question_id": family,
        "question_family": family,
        "survey_kind": "relationship",
        "scale_min": scale[0],
        "scale_max": scale[1],
        "is_high_good": True,
        "score": score,
    } | values


def _invitation(invitation_id: str, at: str, **values: Any) -> Row:
    return {
        "invitation_id": invitation_id,
        "delivered_at": at,
        "question_id": "nps",
        "survey_kind": "relationship",
    } | values


def _score(score_id: str, at: str, party_id: str, name: str, score: str, band: str, **values: Any) -> Row:
    return {
        "score_id": score_id,
        "scored_at": at,
        "party_id": party_id,
        "score_name": name,
        "score": score,
        "scale_min": 0,
        "scale_max": 1000,
        "is_high_bad": True,
        "band": band,
    } | values


def _message(outreach_id: str, party_id: str, channel: str, sent: str, arrived: str | None, **values: Any) -> Row:
    return {
        "outreach_id": outreach_id,
        "party_id": party_id,
        "channel": channel,
        "campaign": "spring",
        "sent_at": f"{sent} 09:00+00",
        "delivered_at": arrived and f"{arrived} 09:01+00",
    } | values


def _entry(entry_id: str, party_id: str, day: str, points: int, expires: str | None = None) -> Row:
    return {
        "entry_id": entry_id,
        "party_id": party_id,
        "booked_date": day,
        "points": points,
        "entry_type": "earn" if points > 0 else "redeem",
        "expires_date": expires,
    }


PARTIES = [
    _party("P1", city="Old Town", region="North", birth_year=1980, customer_since_date="2020-05-01"),
    _party(
        "P2",
        city="New Town",
        customer_since_date="2021-01-01",
        updated_at="2026-01-05 10:00+01",
        email_token="k1:email:1",
        document_token="k1:document:1",
    ),
    _party("P3", region="South", city="Port", customer_since_date="2026-04-01"),  # after as_of
    _party("P4", region="North"),
]

FEEDS: dict[str, list[Row]] = {
    "parties": PARTIES,
    "accounts": [
        {
            "account_id": "A1",
            "account_type": "current",
            "currency": "EUR",
            "status": "open",
            "opened_date": "2020-05-01",
        },
        {
            "account_id": "A2",
            "account_type": "savings",
            "currency": "USD",
            "status": "open",
            "opened_date": "2026-03-01",
        },
        {
            "account_id": "A3",
            "account_type": "current",
            "currency": "EUR",
            "status": "open",
            "opened_date": "2026-04-15",
        },
    ],
    "account_parties": [
        {"account_id": "A1", "party_id": "P1", "role": "owner"},
        {"account_id": "A1", "party_id": "P3", "role": "joint_owner"},
        {"account_id": "A2", "party_id": "P3", "role": "owner"},
        {"account_id": "A3", "party_id": "P4", "role": "owner"},
        {"account_id": "A4", "party_id": "P3", "role": "owner"},  # an account no master knows
    ],
    "holdings": [
        {"holding_id": "H1", "holding_type": "card", "account_id": "A1", "status": "active"},
        {
            "holding_id": "H2",
            "holding_type": "deposit",
            "party_id": "P2",
            "status": "active",
            "opened_date": "2025-01-01",
            "maturity_date": "2026-06-29",
            "amount": "500.00",
            "currency": "USD",
        },
        {
            "holding_id": "H3",
            "holding_type": "loan",
            "party_id": "P1",
            "status": "closed",
            "closed_date": "2026-01-01",
        },
    ],
    "fx_rates": [
        {"rate_date": "2026-03-10", "currency": "USD", "quote_currency": "EUR", "rate": "0.92345"},
        {"rate_date": "2026-03-31", "currency": "USD", "quote_currency": "EUR", "rate": "0.90000"},
    ],
    "transactions": [
        # the day began at 550.00: T2 is the first booking though its key is the larger one
        _booking("T1", "A1", "2026-03-31", "credit", "1000.00", category="salary", balance_after_amount="1500.00"),
        _booking("T2", "A1", "2026-03-31", "debit", "50.00", channel="app", balance_after_amount="500.00"),
        _booking("T3", "A1", "2026-03-02", "debit", "20.00", channel="atm"),  # 30th day back: in
        _booking("T4", "A1", "2026-03-01", "debit", "5.00", channel="atm"),  # 31st day back: out
        _booking("T5", "A2", "2026-03-10", "debit", "100.01", currency="USD", balance_after_amount="300.00"),
        _booking("T6", "A2", "2026-03-16", "debit", "7.00", currency="USD"),  # five days without a rate before it
        _booking("T7", "A9", "2026-03-15", "credit", "33.00"),  # an account nobody owns
        _booking("T8", "A1", "2026-03-30", "debit", "9.00", status="pending"),
        _booking("T9", "A1", "2026-04-01", "debit", "9.00"),  # after as_of
        _booking("T10", "A4", "2026-03-03", "credit", "11.00", balance_after_amount="11.00"),
        # a currency without any rate, in its amounts and its balance
        _booking("T11", "A9", "2026-03-15", "credit", "5.00", currency="CHF", balance_after_amount="5.00"),
    ],
    "app_events": [
        # one session: two minutes before the login, the login, an error; 23:58 UTC is the next day in Berlin
        _event("E1", "2026-03-29 10:00+00", session_id="s1", device_token=DEVICE),
        _event(
            "E2",
            "2026-03-29 10:02+00",
            session_id="s1",
            device_token=DEVICE,
            app_user_token=LOGIN,
            party_id="P1",
            event_name="login",
        ),
        _event(
            "E3",
            "2026-03-29 10:05+00",
            session_id="s1",
            device_token=DEVICE,
            party_id="P1",
            feature="Transfers",
            is_error=True,
        ),
        _event(
            "E4",
            "2026-03-29 23:58+00",
            session_id="s2",
            app_user_token=LOGIN,
            feature="accounts",
            platform="web",
        ),
        _event("E5", "2026-03-20 08:00+00", session_id="s3", device_token=NOBODYS_DEVICE),
    ],
    "call_logs": [
        # Anna on her card: resolved but for 7 days and an hour later, when she is a first contact again
        _call(
            "C1",
            "2026-03-02 09:00+01",
            "2026-03-02 09:10+01",
            party_id="P1",
            queued_at="2026-03-02 09:00+01",
            answered_at="2026-03-02 09:01+01",
            handle_seconds=540,
            agent_id="ada",
        ),
        _call("C2", "2026-03-09 10:10+01", "2026-03-09 10:20+01", party_id="P2", queued_at=None, agent_id="ada"),
        # 6 days and 23 hours later: a repeat, so C2 was not resolved and C3 is no first contact; when it was answered
        # nobody logged
        _call("C3", "2026-03-16 09:20+01", "2026-03-16 09:30+01", party_id="P1", agent_id="ada"),
        _call("C4", "2026-03-30 09:00+02", "2026-03-30 09:10+02", party_id="P3", topic="loan"),
        _call("C5", "2026-03-10 09:00+01", "2026-03-10 09:10+01", phone_token=NOBODYS_PHONE),
        _call(
            "C6",
            "2026-03-10 10:00+01",
            "2026-03-10 10:00:05+01",
            outcome="abandoned",
            phone_token=NOBODYS_PHONE,
        ),
        _call(
            "C7",
            "2026-03-10 11:00+01",
            "2026-03-10 11:00:06+01",
            outcome="abandoned",
            party_id="P3",
            complaint_id="K2",
        ),
        _call("C8", "2026-03-10 12:00+01", "2026-03-10 12:05+01", outcome="not_offered", party_id="P1", queued_at=None),
        _call("C9", "2026-03-10 12:00+01", "2026-03-10 12:05+01", direction="outbound", party_id="P1", queued_at=None),
    ],
    "survey_responses": [
        _answer("S1", "2026-03-20 09:00+01", "nps", 9, party_id="P1"),
        _answer("S2", "2026-03-20 10:00+01", "nps", 3, party_id="P2"),  # the same person, later: this counts
        _answer("S3", "2026-03-20 10:00+01", "nps", 8, party_id="P3"),
        _answer("S4", "2026-03-20 10:00+01", "nps", 10),  # a person of its own
        _answer("S5", "2026-03-20 11:00+01", "nps", None, party_id="P3"),  # blank
        _answer("S6", "2026-03-20 11:00+01", "nps", 10, party_id="P4", survey_kind="transactional"),
        _answer("S7", "2026-03-21 09:00+01", "csat", 4, party_id="P1", channel="app"),
        _answer("S8", "2026-03-21 09:00+01", "csat", 8, question_id="csat10", party_id="P3", scale_max=10),
        _answer("S9", "2026-03-22 09:00+01", "ces", 5, party_id="P1", region="East"),
        _answer(
            "S10",
            "2026-03-22 09:00+01",
            "ces",
            2,
            party_id="P3",
            question_id="c1",
            scale_max=5,
            is_high_good=False,
        ),
        _answer(
            "S11",
            "2026-03-22 09:00+01",
            "ces",
            3,
            party_id="P4",
            question_id="c1",
            scale_max=5,
            is_high_good=False,
        ),
    ],
    "complaints": [
        {
            "complaint_id": "K1",
            "received_at": "2026-03-05 00:00+01",
            "party_id": "P3",
            "status": "open",
            "product": "loan",
            "issue": "loan",
            "channel": "email",
        },
        # written down from call C7, so the same contact
        {
            "complaint_id": "K2",
            "received_at": "2026-03-10 11:00+01",
            "party_id": "P3",
            "status": "closed",
            "closed_at": "2026-03-12 11:00+01",
            "product": "card",
            "issue": "card",
            "channel": "phone",
        },
    ],
    "risk_scores": [
        _score("R1", "2026-03-01 04:00+01", "P1", "fraud", "800", "high"),
        _score("R2", "2026-03-31 23:59+02", "P2", "fraud", "250", "low"),  # the same person, later: this counts
        _score("R3", "2026-04-01 00:00+02", "P1", "fraud", "900", "high"),  # after as_of
        # 740 of 300 to 850 is good: 110 of 550 from the top
        _score("R4", "2026-02-01 04:00+01", "P3", "credit", "740", "high", scale_min=300, scale_max=850, is_high_bad=0),
        _score("R5", "2026-02-01 04:00+01", "P9", "fraud", "1000", "high"),  # of a party nobody knows
    ],
    "outreach": [
        _message("O1", "P1", "email", "2026-03-30", "2026-03-30", converted_at="2026-03-31 23:59+02"),
        _message("O2", "P1", "sms", "2026-01-01", None),  # the 90th day back: in
        _message("O3", "P2", "letter", "2025-12-31", "2026-01-02", converted_at="2026-04-01 00:00+02"),  # not known yet
        _message("O4", "P9", "email", "2026-03-30", "2026-03-30"),
    ],
    "points_entries": [
        _entry("N1", "P1", "2026-01-10", 100, "2026-04-10"),
        _entry("N2", "P1", "2026-02-01", -30),
        _entry("N3", "P2", "2026-03-01", 20, "2026-04-03"),
        _entry("N4", "P1", "2026-04-01", 5, "2026-04-03"),  # after as_of
        _entry("N5", "P9", "2026-03-01", 7),
    ],
    "survey_invitations": [
        _invitation("I1", "2026-03-20 08:00+01", party_id="P1"),
        _invitation("I2", "2026-03-20 08:00+01", party_id="P4"),
    ],
    "call_legs": [
        _leg("C4-1", "C4", "2026-03-30 09:02+02", "bob", 200),
        _leg("C4-2", "C4", "2026-03-30 09:06+02", "ada", 100),
    ],
}


#: dbt's unit tests of the models this module is about.
UNIT_TESTS = tuple(f"path:models/{room},test_type:unit" for room in ("profile", "segments", "cx", "words"))


def _show(settings: Settings, feeds: dict[str, list[Row]], as_of: date) -> None:
    """The tables of schema raw that a run opens the warehouse with, one delivery per feed that came."""
    with engines.open_warehouse(settings) as empty:
        warehouse._create(empty)
    with duckdb_engine.connect(settings) as db:
        db.execute("create schema identity")
        described = warehouse.DBT_PROJECT / "models" / "identity" / "_sources.yml"
        for table in yaml.safe_load(described.read_text(encoding="utf-8"))["sources"][0]["tables"]:
            told = ", ".join(f"{column['name']} {column['data_type']}" for column in table["columns"])
            db.execute(f"create table identity.{table['name']} ({told})")
        for party_id in [party["party_id"] for party in feeds["parties"]]:
            group = GROUPS[party_id]
            db.execute(
                "insert into identity.party_groups (party_id, profile_id, own_profile_id, household_id)"
                " values (?, ?, ?, ?)",
                [party_id, group, OWN_IDS.get(party_id, group), HOUSEHOLDS[group]],
            )
        db.execute("insert into raw.run values ('test', ?, 99, 0, '', '', false, 'Europe/Berlin', 'EUR')", [as_of])
        for number, (feed, contract) in enumerate(load().items(), start=1):
            columns = [(name, sql) for name, sql, _ in contract.lake_columns]
            columns += [("source", "varchar"), ("arrival_number", "bigint")]
            columns += [("delivery_day", "date"), ("content_hash", "varchar")]
            db.execute(f"create table raw.{feed} ({', '.join(f'{name} {sql}' for name, sql in columns)})")
            rows = feeds.get(feed)
            if not rows:
                continue
            arrival = {"source": "test", "arrival_number": number, "delivery_day": as_of, "content_hash": feed}
            db.execute(
                "insert into raw.deliveries values (?, 'test', ?, ?, ?, ?, null, ?)",
                [number, feed, feed, as_of, feed, len(rows)],
            )
            values = [[(row | arrival).get(name) for name, _ in columns] for row in rows]
            db.executemany(f"insert into raw.{feed} values ({', '.join('?' * len(columns))})", values)


def _query(settings: Settings, sql: str, *values: Any) -> list[Row]:
    with duckdb_engine.connect(settings, read_only=True) as db:
        found = db.execute(sql, values)
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _profile(settings: Settings, profile_id: str) -> Row:
    [row] = _query(settings, f"select * from profile.customer_profile where profile_id = '{profile_id}'")
    return row


def _metric(settings: Settings, metric: str, day: str, dimension_set: str = "total", **values: str) -> Row:
    """A metric before anything is hidden: the bank has few people."""
    where = "".join(f" and {column} = '{value}'" for column, value in values.items())
    [row] = _query(
        settings,
        "select *, n - promoter_count - detractor_count as passive_count from cx.int_cx__metrics"
        f" where window_days = 1 and metric = '{metric}' and metric_date = '{day}'"
        f" and dimension_set = '{dimension_set}'{where}",
    )
    return row


def _build(settings: Settings, feeds: dict[str, list[Row]], as_of: date = AS_OF) -> Settings:
    _show(settings, feeds, as_of)
    warehouse.dbt(settings, "build_tables")
    return settings


@pytest.fixture(scope="module")
def bank(new_home: Callable[[str], Settings]) -> Settings:
    """A warehouse built by dbt, with all its tests, from the rows above."""
    return _build(new_home("bank"), FEEDS)


@pytest.fixture(scope="module")
def no_accounts(new_home: Callable[[str], Settings]) -> Settings:
    """The same, of a bank that delivers no account master, no rates and no events but bookings."""
    feeds = {feed: FEEDS[feed] for feed in ("parties", "account_parties", "transactions")}
    return _build(new_home("no_accounts"), feeds)


@pytest.fixture(scope="module")
def only_parties(new_home: Callable[[str], Settings]) -> Settings:
    """The same, of a bank that delivers nothing but its parties."""
    return _build(new_home("only_parties"), {"parties": PARTIES})


def test_every_person_has_one_row_and_nobody_has_one(bank: Settings) -> None:
    rows = _query(bank, "select profile_id, profile_type from profile.customer_profile order by all")
    assert [tuple(row.values()) for row in rows] == [
        ("anna", "customer"),
        ("bob", "customer"),
        ("carl", "prospect"),  # his account opens after as_of
        (DEVICE_PROSPECT, "prospect"),
        (CALLER_PROSPECT, "prospect"),
        ("unattributed", "unattributed"),
    ]


def test_records_of_one_person_are_decided_per_attribute(bank: Settings) -> None:
    anna = _profile(bank, "anna")
    assert anna["party_count"] == 2
    assert anna["city"] == "New Town"  # the newer version wins
    assert (anna["region"], anna["birth_year"]) == ("North", 1980)  # it says nothing of these
    assert anna["customer_since_date"] == date(2020, 5, 1)
    assert _profile(bank, "bob")["customer_since_date"] is None


def test_windows_are_days_that_end_with_as_of(bank: Settings) -> None:
    anna = _profile(bank, "anna")
    assert (anna["transaction_30d_count"], anna["transaction_90d_count"]) == (3, 4)
    assert (anna["inflow_30d_amount"], anna["outflow_30d_amount"]) == (Decimal("1000.00"), Decimal("70.00"))
    assert anna["outflow_90d_amount"] == Decimal("75.00")
    assert anna["last_transaction_date"] == AS_OF


def test_money_is_converted_at_the_rate_of_its_day_and_counted_without_one(bank: Settings) -> None:
    bob = _profile(bank, "bob")
    assert bob["outflow_30d_amount"] == Decimal("92.35")  # 100.01 x 0.92345 = 92.354234...
    assert (bob["transaction_30d_count"], bob["unconverted_30d_count"]) == (3, 1)
    assert bob["balance_amount"] == Decimal("281.00")  # 300.00 USD at the rate of as_of, and 11.00 of account A4


def test_money_without_a_rate_is_kept_and_counted(bank: Settings) -> None:
    held = _query(
        bank,
        "select profile_id, currency, credit_amount, debit_amount from daily.int_money__daily"
        " where (currency, business_date) in (('USD', '2026-03-16'), ('CHF', '2026-03-15')) order by all",
    )
    assert [tuple(row.values()) for row in held] == [
        ("bob", "USD", Decimal("0.00"), Decimal("7.00")),
        ("unattributed", "CHF", Decimal("5.00"), Decimal("0.00")),
    ]
    nobody = _profile(bank, "unattributed")
    assert (nobody["transaction_30d_count"], nobody["inflow_30d_amount"]) == (2, Decimal("33.00"))
    assert (nobody["unconverted_30d_count"], nobody["unconverted_balance_count"]) == (1, 1)
    assert nobody["balance_amount"] is None


def test_what_no_account_master_knows_has_its_money(no_accounts: Settings) -> None:
    anna, bob = _profile(no_accounts, "anna"), _profile(no_accounts, "bob")
    assert (anna["profile_type"], anna["balance_amount"]) == ("customer", Decimal("1500.00"))
    assert (bob["balance_amount"], bob["joint_balance_amount"]) == (Decimal("11.00"), Decimal("1500.00"))
    assert (anna["inflow_30d_amount"], anna["outflow_30d_amount"]) == (Decimal("1000.00"), Decimal("70.00"))
    assert anna["account_open_count"] is None
    assert bob["unconverted_30d_count"] == 2  # it has no rates either


def test_the_balance_is_that_of_the_last_booking_whatever_its_key(bank: Settings) -> None:
    assert _profile(bank, "anna")["balance_amount"] == Decimal("1500.00")


def test_joint_holders_see_the_money_in_columns_of_their_own(bank: Settings) -> None:
    anna, bob = _profile(bank, "anna"), _profile(bank, "bob")
    assert bob["joint_inflow_30d_amount"] == Decimal("1000.00")
    assert bob["joint_outflow_90d_amount"] == Decimal("75.00")
    assert bob["joint_balance_amount"] == Decimal("1500.00")
    assert (bob["account_open_count"], bob["joint_account_open_count"]) == (1, 1)
    assert (anna["joint_account_open_count"], anna["joint_inflow_30d_amount"]) == (0, Decimal("0.00"))


def test_money_of_nobody_is_in_the_unattributed_row(bank: Settings) -> None:
    nobody = _profile(bank, "unattributed")
    assert nobody["inflow_30d_amount"] == Decimal("33.00")
    assert nobody["party_count"] is None


def test_products_are_counted_at_as_of(bank: Settings) -> None:
    anna = _profile(bank, "anna")
    assert (anna["card_count"], anna["deposit_count"], anna["loan_count"]) == (1, 1, 0)
    assert anna["product_type_count"] == 2
    assert (anna["next_maturity_date"], anna["is_maturing_90d"]) == (date(2026, 6, 29), True)


def test_depth_is_kinds_of_product(bank: Settings) -> None:
    anna, bob, carl = (_profile(bank, each) for each in ("anna", "bob", "carl"))
    assert (anna["holding_depth_count"], anna["is_single_product"]) == (3, False)  # account, card, deposit
    assert (bob["holding_depth_count"], bob["is_single_product"]) == (1, True)  # his account and the joint one
    assert (carl["holding_depth_count"], carl["is_single_product"]) == (0, False)


def test_assets_are_balances_and_what_is_held(bank: Settings, no_accounts: Settings) -> None:
    columns = ("deposit_amount", "aum_amount", "aum_12m_mean_amount", "unconverted_asset_count")
    of = {each: [_profile(bank, each)[column] for column in columns] for each in ("anna", "bob", "unattributed")}
    # Anna: 1500.00 on her account and 500.00 USD at 0.9. as_of is a month's end, the only one with a known balance.
    assert of["anna"] == [Decimal("450.00"), Decimal("1950.00"), Decimal("1950.00"), 0]
    assert of["bob"] == [Decimal("0.00"), Decimal("281.00"), Decimal("281.00"), 0]
    assert of["unattributed"] == [Decimal("0.00"), None, None, 1]
    # without rates Bob's dollars are counted and not told, so his month is not known whole
    assert [_profile(no_accounts, "bob")[column] for column in columns] == [None, Decimal("11.00"), None, 1]


def test_the_rhythm_of_acts_of_the_customer(bank: Settings) -> None:
    anna, bob = _profile(bank, "anna"), _profile(bank, "bob")
    # on 1, 2 and 31 March, 1 and 29 days apart; Bob acted on two days only
    assert (anna["transaction_interval_median_days"], anna["next_transaction_expected_date"]) == (15, date(2026, 4, 15))
    assert (bob["transaction_interval_median_days"], bob["next_transaction_expected_date"]) == (None, None)


def test_a_trend_is_not_told_where_the_feed_begins_too_late(bank: Settings) -> None:
    names = ("transaction", "inflow", "outflow", "app_active_day", "call")
    anna = _profile(bank, "anna")
    assert {anna[f"{name}_{days}d_trend"] for name in names for days in (30, 90)} == {None}


def test_short_windows_and_all_days(bank: Settings) -> None:
    anna, bob = _profile(bank, "anna"), _profile(bank, "bob")
    assert (anna["transaction_7d_count"], anna["transaction_lifetime_count"]) == (2, 4)
    assert (anna["inflow_7d_amount"], anna["outflow_7d_amount"]) == (Decimal("1000.00"), Decimal("50.00"))
    assert (anna["net_flow_30d_amount"], anna["net_flow_90d_amount"]) == (Decimal("930.00"), Decimal("925.00"))
    assert (anna["call_7d_count"], anna["call_lifetime_count"], bob["call_7d_count"]) == (0, 3, 1)
    assert (anna["app_event_7d_count"], anna["app_session_7d_count"], anna["app_active_day_7d_count"]) == (4, 2, 2)
    assert anna["answer_lifetime_count"] == 4


def test_digital_use(bank: Settings) -> None:
    anna, bob, device = (_profile(bank, each) for each in ("anna", "bob", DEVICE_PROSPECT))
    assert (anna["app_features"], anna["app_feature_90d_count"]) == ("accounts, transfers", 2)
    assert (anna["app_event_unknown_90d_count"], device["app_event_unknown_90d_count"]) == (1, 1)
    assert (anna["is_app_active_30d"], anna["app_stickiness_30d_share"]) == (True, pytest.approx(2 / 30, abs=1e-6))
    # features 4 of 26 in weight, 2 days of 30, app or online on 3 of 8 channel days
    assert anna["digital_adoption_index"] == pytest.approx(40 * 4 / 26 + 30 * 2 / 30 + 30 * 3 / 8, abs=0.05)
    # Anna phones on as many days as she banks digitally; Bob cannot bank digitally at all
    assert (anna["is_digital_migration_candidate"], bob["is_digital_migration_candidate"]) == (True, False)
    assert _profile(bank, "unattributed")["digital_adoption_index"] is None


def test_personas_and_special_dates(bank: Settings, only_parties: Settings) -> None:
    names = ("senior", "business_owner", "cross_border", "payroll", "vip")
    anna = _profile(bank, "anna")
    assert anna["next_anniversary_date"] == date(2026, 5, 1)
    assert [anna[f"is_{name}"] for name in names] == [False] * 5  # one wage is no habit
    assert _profile(bank, "bob")["is_senior"] is None
    alone = _profile(only_parties, "anna")
    assert [alone[f"is_{name}"] for name in names] == [False, None, None, None, None]


def test_channels_are_days_of_use_and_a_tie_goes_to_the_latest(bank: Settings) -> None:
    anna = _profile(bank, "anna")
    # app 29 and 31 March, online 30 March, phone 2, 9 and 16 March (the call on 10 March reached nobody),
    # atm 1 and 2 March
    assert anna["channel_day_90d_count"] == 8
    assert anna["preferred_channel"] == "phone"
    assert anna["phone_90d_share"] == pytest.approx(3 / 8, abs=1e-6)
    # Bob: phone 10 and 30 March, no channel on his transactions
    assert _profile(bank, "bob")["preferred_channel"] == "phone"
    assert _profile(bank, "carl")["preferred_channel"] is None


def test_a_session_belongs_to_who_logged_in(bank: Settings) -> None:
    anna = _profile(bank, "anna")
    assert (anna["app_session_30d_count"], anna["app_active_day_30d_count"]) == (2, 2)
    assert (anna["app_login_30d_count"], anna["app_error_30d_count"]) == (1, 1)
    assert anna["last_login_at"] == datetime.fromisoformat("2026-03-29 10:02+00:00")
    assert anna["app_platforms"] == "ios, web"
    sessions = _query(
        bank,
        "select profile_id, business_date, is_negative from profile.customer_timeline"
        " where feed = 'app_events' order by occurred_at",
    )
    assert [tuple(row.values()) for row in sessions] == [
        (DEVICE_PROSPECT, date(2026, 3, 20), False),
        ("anna", date(2026, 3, 29), True),
        ("anna", date(2026, 3, 30), False),
    ]


def test_service_history(bank: Settings) -> None:
    anna, bob = _profile(bank, "anna"), _profile(bank, "bob")
    assert anna["call_30d_count"] == 3  # those she made and that reached somebody or a queue
    assert (anna["handle_90d_seconds"], anna["handled_call_90d_count"]) == (540 + 600, 2)  # of C3 nobody knows
    assert (anna["wait_90d_seconds"], anna["waited_call_90d_count"]) == (60, 1)
    assert (bob["call_30d_count"], bob["abandoned_call_30d_count"]) == (2, 1)
    assert (bob["complaint_count"], bob["open_complaint_count"]) == (2, 1)
    assert bob["last_complaint_date"] == date(2026, 3, 10)


def test_experience(bank: Settings) -> None:
    anna = _profile(bank, "anna")
    assert (anna["nps_last_score"], anna["nps_mean_365d_score"], anna["nps_answer_365d_count"]) == (3, 6, 2)
    assert anna["csat_last_score"] == 75
    assert anna["seen_in_feeds"] == "app_events, call_logs, survey_responses, transactions"
    assert (anna["first_seen_date"], anna["last_seen_date"]) == (date(2026, 3, 1), AS_OF)


def test_risk_is_the_latest_score_on_its_own_scale(bank: Settings) -> None:
    anna, bob, carl = (_profile(bank, each) for each in ("anna", "bob", "carl"))
    assert (anna["fraud_risk_score"], anna["credit_risk_score"], anna["risk_flag_count"]) == (0.25, None, 0)
    assert anna["last_risk_scored_at"] == datetime.fromisoformat("2026-03-31 23:59+02:00")
    assert (bob["fraud_risk_score"], bob["credit_risk_score"], bob["risk_flag_count"]) == (None, 0.2, 1)
    assert (carl["fraud_risk_score"], carl["risk_flag_count"], carl["last_risk_scored_at"]) == (None, 0, None)
    nobody = _profile(bank, "unattributed")
    assert (nobody["fraud_risk_score"], nobody["risk_flag_count"]) == (None, 0)


def test_outreach_reaches_and_converts_as_far_as_is_known(bank: Settings) -> None:
    anna, bob, nobody = (_profile(bank, each) for each in ("anna", "bob", "unattributed"))
    figures = ("outreach_{}d_count", "outreach_reach_{}d_share", "outreach_conversion_{}d_share")
    assert [anna[each.format(90)] for each in figures] == [2, 0.5, 1]
    assert [anna[each.format(365)] for each in figures] == [3, 0.666667, 0.5]
    assert anna["last_outreach_at"] == datetime.fromisoformat("2026-03-30 09:00+00:00")
    assert [bob[each.format(90)] for each in figures] == [0, None, None]
    assert nobody["outreach_90d_count"] == 1
    points = _query(
        bank,
        "select touchpoint_id, profile_id, touchpoint_type, channel, product_or_topic, is_negative"
        " from profile.customer_timeline where feed = 'outreach' order by all",
    )
    assert [tuple(row.values()) for row in points] == [
        ("outreach:O1", "anna", "outreach_converted", "email", "spring", False),
        ("outreach:O2", "anna", "outreach_sent", "sms", "spring", False),
        ("outreach:O4", "unattributed", "outreach_delivered", "email", "spring", False),
    ]


def test_points_are_the_sum_of_the_entries_and_expire_first_in_first_out(bank: Settings) -> None:
    figures = [f"points_{each}_count" for each in ("balance", "expiring_30d", "expiring_15d", "expiring_3d")]
    anna, bob, nobody = (_profile(bank, each) for each in ("anna", "bob", "unattributed"))
    assert [anna[each] for each in figures] == [90, 90, 90, 20]
    assert anna["next_points_expiry_date"] == date(2026, 4, 3)
    assert [bob[each] for each in figures] == [0, 0, 0, 0]
    assert [nobody[each] for each in figures] == [7, 0, 0, 0]
    assert nobody["next_points_expiry_date"] is None


def test_nps_counts_the_latest_answer_of_a_person_and_no_blank(bank: Settings) -> None:
    nps = _metric(bank, "nps_relationship", "2026-03-20")
    assert (nps["n"], nps["n_persons"], nps["n_answers"]) == (3, 3, 4)
    assert (nps["promoter_count"], nps["passive_count"], nps["detractor_count"]) == (1, 1, 1)
    assert nps["value"] == 0
    assert _metric(bank, "nps_transactional", "2026-03-20")["value"] == 100


def test_csat_and_ces_follow_their_declared_scale(bank: Settings) -> None:
    top_two = _metric(bank, "csat_top_two_share", "2026-03-21")
    assert (top_two["n"], top_two["value"]) == (2, 0.5)  # 4 of 5 is in the top two, 8 of 10 is not
    mean = _metric(bank, "csat_mean", "2026-03-21")
    assert mean["value_sum"] == Decimal("4") + Decimal("4.111111")  # 1 + 4 x 7/9
    assert _metric(bank, "ces_v2_low_effort_share", "2026-03-22")["value"] == 1
    low = _metric(bank, "ces_v1_low_effort_share", "2026-03-22")
    assert (low["n"], low["value"]) == (2, 0.5)
    assert _metric(bank, "ces_v1_mean", "2026-03-22")["value"] == 2.5


def test_dimensions_of_a_metric(bank: Settings) -> None:
    assert _metric(bank, "csat_mean", "2026-03-21", "channel", channel="app")["n"] == 1
    assert _metric(bank, "csat_mean", "2026-03-21", "channel", channel="(unknown)")["n"] == 1
    assert _metric(bank, "csat_mean", "2026-03-21", "region", region="South")["n"] == 1
    assert _metric(bank, "ces_v2_mean", "2026-03-22", "region", region="East")["n"] == 1
    assert _metric(bank, "calls_offered", "2026-03-30", "product", product="loan")["region"] == "(all)"


def test_fcr_looks_seven_days_around_a_contact(bank: Settings) -> None:
    days = ["2026-03-02", "2026-03-09"]
    assert [_metric(bank, "fcr_share", day)["value"] for day in days] == [1, 0]
    repeats = _query(
        bank, "select * from cx.cx_metrics_daily where metric = 'fcr_share' and metric_date = '2026-03-16'"
    )
    assert repeats == []  # the only call of that day is no first contact


def test_fcr_leaves_unknown_callers_out_and_counts_them(bank: Settings) -> None:
    fcr = _metric(bank, "fcr_share", "2026-03-10")
    assert (fcr["n"], fcr["n_left_out"], fcr["value"]) == (0, 1, None)


def test_fcr_is_null_until_its_window_is_over(bank: Settings) -> None:
    fcr = _metric(bank, "fcr_share", "2026-03-30")
    assert (fcr["n"], fcr["value"], fcr["is_final"]) == (1, None, False)
    open_days = "select distinct metric from cx.cx_metrics_daily where not is_final and metric_date <= ?"
    later = {row["metric"] for row in _query(bank, open_days, FCR_FINAL_UNTIL)}
    assert later == {"reopen_share", "response_share_relationship"}


def test_short_abandons_are_counted_apart(bank: Settings) -> None:
    share = _metric(bank, "abandonment_share", "2026-03-10")
    assert (share["n"], share["n_left_out"], share["value"]) == (2, 1, 0.5)  # C5 handled, C7 abandoned; C6 short
    assert _metric(bank, "short_abandon_count", "2026-03-10")["value"] == 1
    assert _metric(bank, "calls_offered", "2026-03-10")["value"] == 3


def test_handling_and_waiting(bank: Settings) -> None:
    assert _metric(bank, "aht_seconds", "2026-03-02")["value"] == 540
    assert _metric(bank, "aht_seconds", "2026-03-09")["value"] == 600  # start to end where nothing else is known
    queued = _metric(bank, "aht_seconds", "2026-03-16")  # start to end would hold the wait
    assert (queued["n"], queued["n_left_out"], queued["value"]) == (0, 1, None)
    wait = _metric(bank, "wait_seconds", "2026-03-02")
    assert (wait["n"], wait["value"]) == (1, 60)


def test_handled_calls_are_counted_by_the_agent_who_took_them(bank: Settings) -> None:
    """Within 28 days Ada takes C2 of 600 seconds and C3 of unknown length, and nobody known takes C5.

    C4 tells neither agent nor length: its legs do, Bob's 200 seconds and then 100 of Ada's.
    """
    columns = "agent_id, handled_count, n, unknown_length_count, transferred_count, handle_seconds"
    month = _query(
        bank,
        f"select {columns} from cx.int_cx__agent_cells where window_days = 28 and metric_date = '2026-03-30'"
        " order by agent_id",
    )
    assert [tuple(row.values()) for row in month] == [
        ("(unknown)", 1, 0, 1, 0, 0),
        ("ada", 2, 2, 1, 0, 700),
        ("bob", 1, 1, 0, 1, 200),
    ]
    day = _query(
        bank,
        "select * from cx.agent_handling where agent_id = 'ada' and window_days = 1 and metric_date = '2026-03-02'",
    )
    assert [(row["handled_count"], row["n"], row["is_hidden"], row["handle_seconds"]) for row in day] == [
        (1, 1, True, None)
    ]


def test_the_timeline_puts_unknown_moments_at_local_midnight(bank: Settings) -> None:
    [row] = _query(bank, "select * from profile.customer_timeline where touchpoint_id = 'transactions:T3'")
    assert row["occurred_at"] == datetime.fromisoformat("2026-03-01 23:00+00:00")
    assert (row["profile_id"], row["amount"]) == ("anna", Decimal("-20.00"))


def test_identifiers_say_when_and_from_where(bank: Settings) -> None:
    rows = _query(
        bank,
        "select identifier, source, is_verified, first_seen_date, last_seen_date, event_count"
        " from profile.customer_identifiers where profile_id in ('anna', ?, ?) order by all",
        DEVICE_PROSPECT,
        CALLER_PROSPECT,
    )
    assert [tuple(row.values()) for row in rows] == [
        ("P1", "parties", True, None, None, None),
        ("P2", "parties", True, None, None, None),
        (LOGIN, "app_events", True, date(2026, 3, 29), date(2026, 3, 30), 2),
        (DEVICE, "app_events", True, date(2026, 3, 29), date(2026, 3, 29), 3),
        (NOBODYS_DEVICE, "app_events", False, date(2026, 3, 20), date(2026, 3, 20), 1),
        ("k1:document:1", "parties", False, None, None, None),
        ("k1:email:1", "parties", False, None, None, None),
        (NOBODYS_PHONE, "call_logs", False, date(2026, 3, 10), date(2026, 3, 10), 2),
    ]


def test_a_prospect_is_told_by_what_is_known_of_it(bank: Settings) -> None:
    anna, device, caller, nobody = (
        _profile(bank, each) for each in ("anna", DEVICE_PROSPECT, CALLER_PROSPECT, "unattributed")
    )
    assert [each["identified_by"] for each in (anna, device, caller, nobody)] == ["party", "device", "phone", None]
    assert [each["party_count"] for each in (anna, device, caller, nobody)] == [2, 0, 0, None]
    assert [each["is_organisation"] for each in (anna, device)] == [False, None]
    assert (device["app_event_30d_count"], device["account_open_count"], device["call_30d_count"]) == (1, 0, 0)
    assert (caller["call_30d_count"], caller["seen_in_feeds"]) == (2, "call_logs")
    assert (nobody["app_event_30d_count"], nobody["call_30d_count"]) == (0, 0)


def test_who_is_known_by_an_identifier_only_is_in_no_features(bank: Settings) -> None:
    rows = _query(bank, "select profile_id from features.customer_features order by 1")
    assert [row["profile_id"] for row in rows] == ["anna", "bob", "carl"]


def test_every_winning_value_says_where_it_comes_from(bank: Settings) -> None:
    rows = _query(
        bank,
        "select attribute, value, source, party_id, observed_at is not null as is_dated, rule, candidate_count"
        " from profile.profile_attributes where profile_id = 'anna' order by attribute",
    )
    assert [tuple(row.values()) for row in rows] == [
        ("birth_year", "1980", "test", "P1", False, "most_recent", 1),
        ("city", "New Town", "test", "P2", True, "most_recent", 2),
        ("customer_since_date", "2020-05-01", "test", "P1", False, "earliest", 2),
        ("party_type", "person", "test", "P2", True, "most_recent", 1),
        ("region", "North", "test", "P1", False, "most_recent", 1),
        ("status", "active", "test", "P2", True, "most_recent", 1),
    ]


def test_every_id_leads_to_a_profile(bank: Settings) -> None:
    rows = _query(bank, "select * from profile.profile_ids order by profile_id")
    assert [tuple(row.values()) for row in rows] == [
        ("anna", "anna", True),
        ("anna alone in P2", "anna", False),
        ("bob", "bob", True),
        ("carl", "carl", True),
        (LOGIN_ID, "anna", False),
        (DEVICE_ID, "anna", False),
        (DEVICE_PROSPECT, DEVICE_PROSPECT, True),
        (CALLER_PROSPECT, CALLER_PROSPECT, True),
        ("unattributed", "unattributed", True),
    ]


def test_households_are_people_side_by_side(bank: Settings) -> None:
    rows = _query(
        bank,
        "select profile_id, household_id, household_size from profile.customer_profile order by profile_id",
    )
    assert [tuple(row.values()) for row in rows] == [
        ("anna", "h1", 2),
        ("bob", "h1", 2),
        ("carl", "h2", 1),
        (DEVICE_PROSPECT, None, None),
        (CALLER_PROSPECT, None, None),
        ("unattributed", None, None),
    ]


def test_metric_rules_hold_in_small(bank: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner
    from dbt.contracts.graph.manifest import Manifest

    monkeypatch.setenv("CX360_WAREHOUSE", str(bank.warehouse))
    project = str(warehouse.DBT_PROJECT)
    arguments = ["--quiet", "--no-version-check", "test", "--project-dir", project, "--profiles-dir", project]
    arguments += ["--vars", json.dumps({"as_of": AS_OF.isoformat(), "timezone": "Europe/Berlin"})]
    parsed = Manifest.from_msgpack((bank.home / "dbt" / "target" / "partial_parse.msgpack").read_bytes())
    result = dbtRunner(manifest=parsed).invoke([*arguments, "--select", *UNIT_TESTS])
    DuckDBConnectionManager.close_all_connections()
    outcomes = {each.node.name: str(each.status) for each in result.result}
    assert len(outcomes) >= 9
    assert set(outcomes.values()) == {"pass"}, outcomes


def test_features_are_those_of_the_day_that_is_built(only_parties: Settings) -> None:
    days = "select as_of_date, count(*) as n from features.customer_features group by as_of_date"
    assert [tuple(row.values()) for row in _query(only_parties, days)] == [(AS_OF, 3)]
    with duckdb_engine.connect(only_parties) as db:
        db.execute("update raw.run set as_of = date '2026-04-01'")
    warehouse.dbt(only_parties, "build_tables", select="customer_features")
    assert [tuple(row.values()) for row in _query(only_parties, days)] == [(date(2026, 4, 1), 3)]


def test_a_bank_with_nothing_but_parties_has_profiles(only_parties: Settings) -> None:
    anna = _profile(only_parties, "anna")
    assert (anna["profile_type"], anna["city"]) == ("prospect", "New Town")
    unknown = ["account_open_count", "transaction_30d_count", "inflow_30d_amount", "call_30d_count"]
    unknown += ["holding_depth_count", "is_single_product", "is_maturing_90d", "aum_amount", "deposit_amount"]
    unknown += ["app_feature_90d_count", "is_app_active_30d", "digital_adoption_index"]
    unknown += ["is_digital_migration_candidate", "transaction_lifetime_count", "answer_lifetime_count"]
    unknown += ["risk_flag_count", "outreach_90d_count", "points_balance_count", "points_expiring_30d_count"]
    assert {column: anna[column] for column in unknown} == dict.fromkeys(unknown)
    assert _query(only_parties, "select * from cx.cx_metrics_daily") == []
    assert _query(only_parties, "select * from profile.customer_timeline") == []
