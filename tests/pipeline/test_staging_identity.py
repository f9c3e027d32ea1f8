"""Staging, identity and daily sums: real dbt builds over hand-made raw tables."""

from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.pipeline.raw_bank import RawBank

AS_OF = "2024-03-31"
PHONE, NAME, EMAIL, BIRTH, DOCUMENT = ("k1:phone:", "k1:name:", "k1:email:", "k1:birth_date:", "k1:document:")
DAILY = ["int_events__repeats", "stg_transactions", "int_transactions__daily"]

#: Tables that must come out the same day by day and as one build.
TABLES = """
    select schema_name || '.' || table_name
    from duckdb_tables()
    where schema_name in ('staging', 'identity', 'daily')
    order by all
"""


def _party(party_id: str, **columns: Any) -> dict[str, Any]:
    return {"party_id": party_id, "party_type": "person", "status": "active", **columns}


def _transaction(key: str, day: str, amount: str, **columns: Any) -> dict[str, Any]:
    fixed = {"account_id": "a1", "currency": "EUR", "direction": "debit", "status": "booked", "category": "payment"}
    return {"transaction_id": key, "booked_date": day, "amount": amount, **fixed, **columns}


def _event(key: str, at: str, **columns: Any) -> dict[str, Any]:
    return {"event_id": key, "occurred_at": at, "event_name": "login", "platform": "ios", **columns}


PARTIES = [
    _party("dup1", phone_token=PHONE + "1", name_token=NAME + "ada", birth_date_token=BIRTH + "1"),
    _party("dup2", phone_token=PHONE + "1", name_token=NAME + "ada", email_token=EMAIL + "1"),
    _party("dup3", name_token=NAME + "ada", email_token=EMAIL + "1"),
    _party("father", phone_token=PHONE + "2", name_token=NAME + "bob", birth_date_token=BIRTH + "2"),
    _party("son", phone_token=PHONE + "2", name_token=NAME + "bob", birth_date_token=BIRTH + "3"),
    _party("twin1", phone_token=PHONE + "3", name_token=NAME + "cy", birth_date_token=BIRTH + "4"),
    _party("twin2", phone_token=PHONE + "3", name_token=NAME + "di", birth_date_token=BIRTH + "4"),
    _party("unclear1", phone_token="k1:phone?:4", name_token=NAME + "eve"),
    _party("unclear2", phone_token="k1:phone?:4", name_token=NAME + "eve"),
    _party("paper1", document_token=DOCUMENT + "5", is_document_verified=True, name_token=NAME + "fay"),
    _party("paper2", document_token=DOCUMENT + "5", is_document_verified=True, name_token=NAME + "faye"),
    _party("firm", party_type="organisation", phone_token=PHONE + "1", name_token=NAME + "ada"),
    *[_party(f"branch{n}", phone_token=PHONE + "6", name_token=NAME + "gil") for n in range(8)],
    _party("first", phone_token=PHONE + "7", name_token=NAME + "hal", updated_at="2023-05-01 10:00:00+00"),
    _party("first", name_token=NAME + "hal", updated_at="2024-02-01 10:00:00+00"),
    _party("second", name_token=NAME + "ida", updated_at="2023-07-01 10:00:00+00"),
    _party("second", phone_token=PHONE + "7", name_token=NAME + "ida", updated_at="2024-03-10 10:00:00+00"),
    _party("moved_on", phone_token=PHONE + "8", name_token=NAME + "jo", updated_at="2023-01-01 10:00:00+00"),
    _party("moved_on", phone_token=PHONE + "9", name_token=NAME + "jo", updated_at="2024-04-01 10:00:00+00"),
    _party("holder", phone_token=PHONE + "10", name_token=NAME + "kim", updated_at="2023-01-01 10:00:00+00"),
    _party("of_tomorrow", phone_token=PHONE + "10", name_token=NAME + "lea", updated_at="2024-04-01 10:00:00+00"),
    _party("of_tomorrow", phone_token=PHONE + "11", name_token=NAME + "lea", updated_at="2024-04-02 10:00:00+00"),
    _party("of_tomorrow2", phone_token=PHONE + "10", name_token=NAME + "kim", updated_at="2024-04-01 10:00:00+00"),
    *[
        _party(
            f"five{n}",
            document_token=DOCUMENT + "6",
            is_document_verified=True,
            name_token=NAME + "mia",
            email_token=EMAIL + "5",
        )
        for n in range(4)
    ],
    _party("five4", name_token=NAME + "mia", email_token=EMAIL + "5"),
]

EVENTS = [
    _event("e1", "2024-03-01 10:00:00+00", device_token="own", app_user_token="ada1", party_id="dup1"),
    _event("e2", "2024-03-01 22:59:59+00", device_token="own", app_user_token="ada1", session_id="s1"),
    _event("e3", "2024-03-01 23:00:00+00", device_token="own", event_name="view", feature="accounts"),
    _event("e4", "2024-03-02 10:00:00+00", device_token="shared", party_id="twin1"),
    _event("e5", "2024-03-02 11:00:00+00", device_token="shared", party_id="twin2"),
    _event("e6", "2024-03-02 12:00:00+00", device_token="own", app_user_token="both", party_id="dup2"),
    _event("e7", "2024-03-02 13:00:00+00", app_user_token="both", party_id="son"),
]

OWNERS = [
    {"account_id": "a1", "party_id": "twin2", "role": "owner"},
    {"account_id": "a1", "party_id": "twin1", "role": "owner"},
    {"account_id": "a1", "party_id": "dup1", "role": "joint_owner"},
    {"account_id": "a2", "party_id": "nobody knows", "role": "owner"},
]


def _deliver(bank: Any, backwards: bool) -> None:
    """All deliveries; backwards changes the order of rows within each, which means nothing."""

    def rows(of: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return of[::-1] if backwards else of

    bank.deliver(1, "parties", "2024-03-01", rows(PARTIES))
    bank.deliver(2, "account_parties", "2024-03-01", rows(OWNERS))
    bank.deliver(
        3,
        "transactions",
        "2024-03-01",
        rows(
            [
                _transaction("t1", "2024-03-01", "100.00", version_number=1),
                _transaction("t2", "2024-03-01", "7.00", version_number=1),
                _transaction("t3", "2024-03-01", "5.50", account_id="a2", direction="credit"),
            ]
        ),
    )
    bank.deliver(4, "app_events", "2024-03-01", rows(EVENTS[:3]))
    # The next day brings a correction that moves t1, one of t2 in place, a repeat, and a row of two weeks ago.
    bank.deliver(
        5,
        "transactions",
        "2024-03-02",
        rows(
            [
                _transaction("t1", "2024-03-02", "101.00", version_number=2),
                _transaction("t2", "2024-03-01", "8.00", version_number=2),
                _transaction("t4", "2024-02-15", "9.00", status="pending"),
            ]
        ),
    )
    bank.deliver(6, "app_events", "2024-03-02", rows([EVENTS[1], *EVENTS[3:]]))
    # Later deliveries touch the old day of t1 only.
    bank.deliver(7, "transactions", "2024-03-03", [_transaction("t5", "2024-03-01", "1.00")])
    bank.deliver(8, "transactions", "2024-03-04", [_transaction("t6", "2024-03-01", "2.00")])


@pytest.fixture(scope="module")
def day_by_day(tmp_path_factory: pytest.TempPathFactory, target: Path) -> Any:
    """Built at arrival 4, then incrementally at arrival 6, with data tests."""
    bank = RawBank(tmp_path_factory.mktemp("day_by_day"), target)
    _deliver(bank, backwards=False)
    bank.open(4)
    bank.build(AS_OF, full=True)
    bank.open(6, changed=[5, 6])
    bank.build(AS_OF, full=False, tests=True)
    return bank


@pytest.fixture(scope="module")
def at_once(tmp_path_factory: pytest.TempPathFactory, target: Path) -> Any:
    """Built at arrival 6 at once, from rows in another order, with data tests."""
    bank = RawBank(tmp_path_factory.mktemp("at_once"), target)
    _deliver(bank, backwards=True)
    bank.open(6)
    bank.build(AS_OF, full=True, tests=True)
    return bank


def test_day_by_day_in_any_row_order_equals_one_build(day_by_day: Any, at_once: Any) -> None:
    tables = [name for (name,) in at_once.query(TABLES)]
    assert {"staging.stg_transactions", "identity.identity_map", "daily.int_transactions__daily"} <= set(tables)
    for table in tables:
        query = f"from {table} order by all"
        assert day_by_day.query(query) == at_once.query(query), table


def test_a_correction_moves_a_row_to_its_new_day(day_by_day: Any) -> None:
    staged = "select transaction_id, business_date::varchar, amount::varchar from staging.stg_transactions order by 1"
    assert day_by_day.query(staged) == [
        ("t1", "2024-03-02", "101.00"),
        ("t2", "2024-03-01", "8.00"),
        ("t3", "2024-03-01", "5.50"),
        ("t4", "2024-02-15", "9.00"),
    ]


def test_money_goes_to_the_primary_owner_and_none_is_lost(at_once: Any) -> None:
    money = """
        select profile_id, business_date::varchar, credit_amount::varchar, debit_amount::varchar
        from daily.int_money__daily order by business_date, debit_amount desc
    """
    assert at_once.query(money) == [
        (at_once.profile_of("twin1"), "2024-03-01", "0.00", "8.00"),
        ("unattributed", "2024-03-01", "5.50", "0.00"),
        (at_once.profile_of("twin1"), "2024-03-02", "0.00", "101.00"),
    ]


def test_records_join_by_document_or_by_name_with_phone_or_email(at_once: Any) -> None:
    groups = at_once.query("""
        select list(party_id order by party_id) from identity.party_groups
        group by profile_id having count(*) > 1 order by all
    """)
    # Neither twins, nor father and son, nor a firm, nor joint holders of an account, nor a branch's phone.
    assert groups == [(["dup1", "dup2", "dup3"],), ([f"five{n}" for n in range(5)],), (["paper1", "paper2"],)]


def test_a_recycled_number_changes_hands_when_the_next_holder_has_it(at_once: Any) -> None:
    assert at_once.periods(PHONE + "7") == [
        ("0001-01-01", "2024-03-10", at_once.profile_of("first")),
        ("2024-03-10", "9999-12-31", at_once.profile_of("second")),
    ]


def test_what_a_record_says_after_as_of_is_not_known(at_once: Any) -> None:
    holder = [("0001-01-01", "9999-12-31", at_once.profile_of("moved_on"))]
    assert at_once.periods(PHONE + "8") == holder
    assert at_once.periods(PHONE + "9") == []


def test_a_party_whose_first_version_comes_after_as_of_does_not_exist_yet(at_once: Any) -> None:
    assert at_once.query("select * from identity.party_groups where party_id like 'of_tomorrow%'") == []
    assert at_once.periods("of_tomorrow") == at_once.periods(PHONE + "11") == []
    assert at_once.periods(PHONE + "10") == [("0001-01-01", "9999-12-31", at_once.profile_of("holder"))]


def test_a_party_holds_what_it_has_from_the_day_of_its_first_version(
    tmp_path_factory: pytest.TempPathFactory, target: Path
) -> None:
    bank = RawBank(tmp_path_factory.mktemp("later"), target)
    _deliver(bank, backwards=False)
    bank.open(2)
    bank.build("2024-04-01", full=True)
    assert bank.periods(PHONE + "10")[0] == ("0001-01-01", "2024-04-01", bank.profile_of("holder"))
    assert bank.profile_of("of_tomorrow2") == bank.profile_of("holder") != bank.profile_of("of_tomorrow")


def test_records_of_one_person_do_not_use_up_the_limit_of_an_address(at_once: Any) -> None:
    assert at_once.periods(EMAIL + "5") == [("0001-01-01", "9999-12-31", at_once.profile_of("five0"))]


def test_rows_that_lost_to_another_delivery_are_counted(at_once: Any) -> None:
    counted = "select * from staging.int_deliveries__repeats where accepted_count > 0 order by feed"
    assert at_once.query(counted) == [
        ("account_parties", 4, 4, 0),
        ("app_events", 8, 7, 1),
        ("parties", len(PARTIES), len(PARTIES), 0),
        ("transactions", 6, 4, 2),
    ]


def test_a_shared_number_attaches_nobody_and_is_listed(at_once: Any) -> None:
    for shared in (PHONE + "2", PHONE + "3", PHONE + "6"):
        assert at_once.periods(shared) == []
    listed = "select identifier, holder_count, reason from identity.int_identity__ambiguous order by all"
    assert at_once.query(listed) == [
        ("both", 2, "several_holders"),
        (PHONE + "1", 2, "several_holders"),  # the person and the firm
        (PHONE + "2", 2, "several_holders"),
        (PHONE + "3", 2, "several_holders"),
        (PHONE + "6", 8, "shared_widely"),
        ("shared", 2, "several_holders"),
    ]


def test_a_value_that_could_not_be_normalised_is_no_evidence(at_once: Any) -> None:
    assert at_once.query("from identity.int_identity__evidence where identifier like '%?%'") == []
    assert at_once.profile_of("unclear1") != at_once.profile_of("unclear2")


def test_devices_and_logins_belong_to_the_one_person_seen_on_them(at_once: Any) -> None:
    person = [("0001-01-01", "9999-12-31", at_once.profile_of("dup1"))]
    assert at_once.periods("ada1") == person
    assert at_once.periods("own") == person
    assert at_once.periods("shared") == at_once.periods("both") == []


def test_app_events_count_for_their_subject_on_the_local_day(at_once: Any) -> None:
    days = """
        select subject_type, subject, business_date::varchar, event_count, login_count
        from daily.int_app_events__daily where business_date < '2024-03-02' or subject_type = 'device' order by all
    """
    assert at_once.query(days) == [
        ("app_user", "ada1", "2024-03-01", 1, 1),
        ("device", "own", "2024-03-02", 1, 0),
        ("party", "dup1", "2024-03-01", 1, 1),
    ]


def test_a_row_that_lost_to_another_day_stays_lost_until_the_winner_is_withdrawn(
    tmp_path_factory: pytest.TempPathFactory, target: Path
) -> None:
    bank = RawBank(tmp_path_factory.mktemp("moves"), target)
    _deliver(bank, backwards=False)
    days = "select business_date::varchar, sum(amount)::int from staging.stg_transactions group by 1 order by 1"
    summed = "select business_date::varchar, sum(debit_amount)::int from daily.int_transactions__daily"
    summed += " where account_id = 'a1' group by 1 order by 1"

    def run(known_at: int, changed: list[int], withdrawn: int | None = None) -> list[tuple[str, int]]:
        bank.open(known_at, changed, withdrawn)
        bank.dbt(DAILY if changed else [*(f"+{model}" for model in DAILY)], AS_OF, full=not changed)
        held: list[tuple[str, int]] = bank.query(days)
        assert all(row in bank.query(summed) for row in held if row[0] == "2024-03-02")
        return held

    assert run(4, []) == [("2024-03-01", 113)]
    assert run(6, [5, 6])[1:] == [("2024-03-01", 14), ("2024-03-02", 101)]
    # Only the old day of t1 is computed anew: its old version is there, its winner is not.
    assert run(7, [7])[1:] == [("2024-03-01", 15), ("2024-03-02", 101)]
    # The winner's delivery is withdrawn: t1 is back on its old day, and stays there when that day comes again.
    assert run(7, [5], withdrawn=5) == [("2024-03-01", 114)]
    assert bank.query("select count(*) from staging.int_events__repeats where feed = 'transactions'") == [(0,)]
    assert run(8, [8], withdrawn=5) == [("2024-03-01", 116)]
    assert bank.query(summed) == [("2024-03-01", 110)]


def test_an_invitation_is_one_row_on_its_local_day_of_whom_it_names(
    tmp_path_factory: pytest.TempPathFactory, target: Path
) -> None:
    bank = RawBank(tmp_path_factory.mktemp("invited"), target)
    asked = {"question_id": "q", "survey_kind": "relationship"}
    known = {"invitation_id": "i1", "party_id": "dup1", "contact_token": EMAIL + "1", **asked}
    evening = [
        known | {"delivered_at": "2024-03-01 22:59:59+00"},
        {"invitation_id": "i2", "contact_token": PHONE + "1", "delivered_at": "2024-03-01 23:00:00+00", **asked},
        {"invitation_id": "i3", "delivered_at": "2024-03-01 23:00:00+00", **asked},
    ]
    bank.deliver(1, "survey_invitations", "2024-03-01", evening)
    bank.deliver(2, "survey_invitations", "2024-03-02", [known | {"delivered_at": "2024-03-02 10:00:00+00"}])
    bank.open(2)
    bank.dbt(["+stg_survey_invitations"], AS_OF, full=True)
    held = "select invitation_id, business_date::varchar, subject_type, subject from staging.stg_survey_invitations"
    assert bank.query(f"{held} order by all") == [
        ("i1", "2024-03-02", "party", "dup1"),
        ("i2", "2024-03-02", "phone", PHONE + "1"),
        ("i3", "2024-03-02", None, None),
    ]


def test_a_late_row_and_a_correction_touch_only_their_keys_and_accounts(
    tmp_path_factory: pytest.TempPathFactory, target: Path
) -> None:
    """What is not in scope is not even looked at: a mark put there is still there afterwards."""
    bank = RawBank(tmp_path_factory.mktemp("late"), target)
    balances = "int_balances__daily"
    old = [
        _transaction(f"t{account}{day}", f"2024-03-0{day}", "1.00", account_id=account, balance_after_amount=day)
        for account in ("a1", "a2", "a3")
        for day in (1, 2)
    ]
    bank.deliver(1, "transactions", "2024-03-02", old)
    moved = old[0] | {"account_id": "a2", "booked_date": "2024-03-02", "version_number": 2}
    bank.deliver(2, "transactions", "2024-03-03", [moved])
    bank.deliver(3, "transactions", "2024-03-03", [_transaction("late", "2024-03-01", "5.00", account_id="a3")])
    bank.open(1)
    bank.dbt([f"+{model}" for model in [*DAILY, balances]], AS_OF, full=True)
    marks = {
        "staging.stg_transactions": "source = 'not looked at'",
        "daily.int_transactions__daily": "transaction_count = 77",
        "profile.int_balances__daily": "balance_amount = 77",
    }
    with duckdb.connect(str(bank.settings.warehouse)) as db:
        for table, mark in marks.items():
            db.execute(f"update {table} set {mark}")
    bank.open(3, changed=[2, 3])
    bank.dbt([*DAILY, balances], AS_OF)
    computed_anew = {
        table: bank.query(f"select account_id, day(business_date) from {table} where not {mark} order by all")
        for table, mark in marks.items()
    }
    assert computed_anew == {
        "staging.stg_transactions": [("a2", 2), ("a3", 1)],
        "daily.int_transactions__daily": [("a2", 2), ("a3", 1)],
        "profile.int_balances__daily": [("a2", 2), ("a3", 1)],
    }
    # on its first day a1 has nothing left; a2 has two bookings on its second
    held = "select account_id, day(business_date), sum(amount)::int from staging.stg_transactions group by all"
    daily = (
        "select account_id, day(business_date), sum(debit_amount)::int from daily.int_transactions__daily group by all"
    )
    left = [("a1", 2, 1), ("a2", 1, 1), ("a2", 2, 2), ("a3", 1, 6), ("a3", 2, 1)]
    assert sorted(bank.query(held)) == sorted(bank.query(daily)) == left


def test_unit_tests_of_the_models_pass(at_once: Any) -> None:
    folders = ("staging", "identity", "daily")
    count = at_once.dbt([f"test_type:unit,path:models/{each}" for each in folders], AS_OF, command="test")
    assert count >= 11
