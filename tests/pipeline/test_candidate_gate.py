"""The gate of the candidate: a small warehouse made by hand, in which one thing at a time is wrong."""

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from pathlib import Path

import duckdb
import pytest
from sqlalchemy import select

from cx360 import ledger
from cx360.gates import GateFailed, GateReport, check_candidate, suites
from cx360.ledger import GateResult, IdentityRun, Publication
from cx360.settings import PROJECT, Settings
from cx360.sync import Column, Table

CANARY = "Zebedee Quixworth"

#: A sound warehouse: two people, a prospect known by a device, the unattributed row, one new delivery of every feed.
SOUND = """
create schema raw; create schema staging; create schema daily;
create schema profile; create schema cx; create schema features; create schema identity;
create table raw.run as select date '2024-03-04' as as_of, 'Europe/Berlin' as timezone, false as full_refresh;
create table raw.run_scope as select 'app_events' as feed, 'E0' as event_key;
create table raw.built as select 1 as arrival_number, false as is_settled;

create table raw.parties as select 'P' || i as party_id, timestamptz '2024-01-01' as updated_at, 1 as arrival_number
from range(2) t(i);
create table raw.accounts as select 'A0' as account_id, 1 as arrival_number;
create table raw.transactions as select 'T' || i as transaction_id, 1 as arrival_number from range(3) t(i);
create table raw.app_events as select 'E0' as event_id, 1 as arrival_number;
create table raw.call_logs as select 'L0' as call_id, 1 as arrival_number;
create table raw.survey_responses as select 'R0' as response_id, 1 as arrival_number;
create table raw.risk_scores as select 'S0' as score_id, 1 as arrival_number;
create table raw.survey_invitations as select 'I0' as invitation_id, 1 as arrival_number;
create table raw.call_legs as select 'L0-1' as leg_id, 1 as arrival_number;
create table raw.points_entries as select 'N' || i as entry_id, 5 - 10 * i as points, 1 as arrival_number
from range(2) t(i);

create table staging.stg_parties as from raw.parties;
create table staging.stg_accounts as from raw.accounts;
create table staging.stg_transactions as select *, date '2024-03-04' as business_date, 'EUR' as currency,
    10.00::decimal(18, 2) as signed_amount, true as is_booked from raw.transactions;
create table staging.stg_app_events as select *, date '2024-03-04' as business_date from raw.app_events;
create table staging.stg_call_logs as select *, date '2024-03-04' as business_date from raw.call_logs;
create table staging.stg_survey_responses as select *, date '2024-03-04' as business_date from raw.survey_responses;
create table staging.stg_risk_scores as select *, date '2024-03-04' as business_date from raw.risk_scores;
create table staging.stg_points_entries as select *, date '2024-03-04' as business_date from raw.points_entries;
create table staging.stg_survey_invitations as select *, date '2024-03-04' as business_date
from raw.survey_invitations;
create table staging.stg_call_legs as select *, date '2024-03-04' as business_date from raw.call_legs;
create table staging.stg_outreach as select 'O0' as outreach_id;
create table staging.stg_complaints as select 'K0' as complaint_id;
create table staging.stg_account_parties as select 'A0' as account_id, 'P0' as party_id;
create table staging.stg_holdings as select 'H0' as holding_id;
create table staging.stg_fx_rates as select date '2024-03-04' as rate_date, 'USD' as currency, 'EUR' as quote_currency;

create table identity.party_groups as select 'P' || i as party_id, 'p' || i as profile_id from range(2) t(i);
create table identity.party_links (party_id_a varchar, party_id_b varchar, rule varchar, identifier varchar,
    outcome varchar);
create table identity.identity_changes (change_type varchar, cause varchar, party_id_a varchar, party_id_b varchar);
create table identity.suppressed_identifiers (identifier varchar);
create table identity.int_identity__prospects as select 'p2' as profile_id;
create table identity.int_identity__ambiguous (identifier_type varchar, identifier varchar);

create table daily.int_money__daily as select * from (values
    ('p0', date '2024-03-04', 'EUR', 2, 20.00, 0.00), ('unattributed', date '2024-03-04', 'EUR', 1, 10.00, 0.00)
) t(profile_id, business_date, currency, transaction_count, credit_amount, debit_amount);
create table profile.customer_profile as select * from (values
    ('p0', 'customer', 'party', 0.5::double, timestamptz '2024-03-04 22:30:00+00', date '2024-03-04', 0),
    ('p1', 'prospect', 'party', null, null, null, 0),
    ('p2', 'prospect', 'device', null, null, null, 0),
    ('unattributed', 'unattributed', null, null, null, null, 0)
) t(profile_id, profile_type, identified_by, app_90d_share, last_login_at, nps_last_answer_date, points_balance_count);
create table profile.customer_identifiers as
select 'p0' as profile_id, 'party' as identifier_type, 'P0' as identifier, date '0001-01-01' as valid_from;
create table profile.profile_attributes as select 'p0' as profile_id, 'city' as attribute;
create table profile.profile_ids as select profile_id from profile.customer_profile;
create table profile.profile_columns as select 'city' as column_name;
create table profile.customer_timeline as
select 'calls:L0' as touchpoint_id, date '2024-03-04' as business_date;
create table cx.cx_metrics_daily as select * from (values
    ('nps_relationship', date '2024-03-04', 3, 33.3::double, 2, 0, 1, 'points'),
    ('fcr_share', date '2024-03-04', 3, 0.5, null, null, null, 'share')
) t(metric, metric_date, n, value, promoter_count, passive_count, detractor_count, unit),
(select 'total' as dimension_set, '(all)' as segment, '(all)' as region, '(all)' as channel, '(all)' as touchpoint,
    '(all)' as product, '(all)' as tier);
create table cx.cx_metrics_rolling as select *, 7 as window_days from cx.cx_metrics_daily;
create table cx.cx_alerts as select 'service_level_low:total:2024-03-04' as alert_id;
create table cx.cx_benchmark_gaps as select 'service_level' as benchmark, date '2024-03-04' as metric_date;
create table cx.agent_handling as select 'ada' as agent_id, date '2024-03-04' as metric_date, 1 as window_days;
create table cx.cx_issue_priority as select date '2024-03-01' as month_start, 'card' as issue;
create table cx.cx_metric_moves as select *, date '2024-02-01' as month_date, 'region' as dimension,
    'North' as dimension_value, null::double as change_lower_bound, null::double as change_upper_bound,
    0.0::double as mix_effect, 0.0::double as entry_effect, 0.0::double as exit_effect
from (values
    ('nps_relationship', 'points', 30, 40, 0e0, 25e0, 25e0, 0e0, 25e0, 25e0),
    ('fcr_share', 'share', 50, 40, 0.5, 0.75, 0.25, 0.5, 0.75, 0.25)
) t(metric, unit, n_before, n_after, value_before, value_after, rate_effect, total_before, total_after, total_change);
create table cx.cx_drivers as select 'csat_top_two_share' as metric, date '2023-10-01' as quarter_date,
    0.5 as linked_share, 0.2 as r_squared, 250 as n_answers, 240 as n_persons, *
from (values
    ('wait', true, 'down', -5.0, -6.0, -4.0, -0.1, 0.75, 0.6, 0.9, 3.0),
    ('transfers', true, 'unclear', -1.0, -3.0, 1.0, -0.2, 0.25, 0.1, 0.4, 0.5),
    ('handling', false, null, null, null, null, null, null, null, null, null)
) t(driver, is_published, direction, effect_points, effect_low_points, effect_high_points, elasticity_at_mean,
    importance_share, importance_low_share, importance_high_share, driver_mean);
create table cx.text_sentiments as select 'complaints' as feed, 'K0' as record_key, 'p0' as profile_id,
    date '2024-03-04' as business_date, 2 as sentiment, 1.8::double as sentiment_score;
create table cx.text_aspects as select 'complaints' as feed, 'K0' as record_key, 'card' as aspect, 'p0' as profile_id,
    date '2024-03-04' as business_date, -1 as polarity;
create table cx.topics_daily as select 'card' as topic, date '2024-03-04' as business_date, '(all)' as language,
    true as is_hidden, null::double as negative_share, null::double as tail_probability;
create table cx.hot_topics as select 'card' as topic, date '2024-03-04' as opened_date, 0.5::double as negative_share;
create table features.customer_features as
select profile_id, date '2024-03-04' as as_of_date, 3 as login_recency_days
from profile.customer_profile where identified_by = 'party';
"""


@pytest.fixture(scope="session")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a sound warehouse."""
    path = tmp_path_factory.mktemp("candidate") / "sound.duckdb"
    with duckdb.connect(str(path)) as db:
        db.execute(SOUND)
    return path


@pytest.fixture
def warehouse(settings: Settings, sound: Path) -> Callable[[str], None]:
    """Puts the sound warehouse in its place, after some SQL on it; can be called again."""

    def place(sql: str = "select 1") -> None:
        settings.warehouse.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(sound, settings.warehouse)
        with duckdb.connect(str(settings.warehouse)) as db:
            db.execute(sql)

    return place


def publication(settings: Settings, people: int, as_of: date, prospects: int = 10) -> None:
    """What was published before, with its file of profiles."""
    name = f"of {as_of}"
    (settings.publications / name).mkdir(parents=True)
    columns = (Column("profile_id", "VARCHAR", ""), Column("identified_by", "VARCHAR", ""))
    table = Table("profile", "customer_profile", "", ("profile_id",), columns)
    with duckdb.connect() as db:
        rows = "select 'p' || i as profile_id, case when i < $1 then 'party' else 'device' end as identified_by"
        file = settings.publications / name / f"{table.full_name}.parquet"
        db.execute(f"copy ({rows} from range($1 + $2) t(i)) to '{file}'", [people, prospects])
    told = {key: value for key, value in asdict(table).items() if key != "path"}
    (settings.publications / name / "tables.json").write_text(json.dumps([told]))
    with ledger.session(settings) as session:
        session.add(
            Publication(
                run_id="before",
                as_of=as_of,
                known_at=1,
                decisions_known_at=0,
                manifest_hash="",
                seeds_hash="",
                models_hash="",
                code_version="1",
                repeated_rows={},
                table_rows={"profile.customer_profile": people + prospects + 1},
                parquet_path=name,
            )
        )
        counts = ("parties", "prospects", "largest_person_records", "merged", "split", "renamed", "open_identifiers",
                  "suppressed_identifiers", "review_links")  # fmt: skip
        session.add(IdentityRun(run_id="before", people=people, **dict.fromkeys(counts, 0)))


def blocked(settings: Settings) -> GateReport:
    with pytest.raises(GateFailed) as failed:
        check_candidate(settings, "run")
    return failed.value.report


def _repeat(table: str) -> str:
    return f"insert into {table} from {table} limit 1"


def _missing(table: str, column: str) -> str:
    return f"insert into {table} select * replace (null as {column}) from {table} limit 1"


def _changes(change: str, rows: int) -> str:
    return f"insert into identity.identity_changes select '{change}', 'phone_name', 'P0', 'P1' from range({rows})"


def _change(table: str, column: str, value: str, where: str) -> str:
    return f"update cx.{table} set {column} = {value} where {where}"


_NPS, _FCR, _WAIT = "metric = 'nps_relationship'", "metric = 'fcr_share'", "driver = 'wait'"

# One seeded defect per blocking rule that is about more than a key: SQL on the sound warehouse.
DEFECTS: dict[str, str] = {
    "one_unattributed": "delete from profile.customer_profile where profile_id = 'unattributed'",
    "money_adds_up": "update daily.int_money__daily set credit_amount = 20.01 where profile_id = 'p0'",
    "points_add_up": "update profile.customer_profile set points_balance_count = 5 where profile_id = 'p0'",
    "keys_staged": "delete from staging.stg_call_logs",
    "keys_staged_once": _repeat("staging.stg_holdings"),
    "profiles_not_lost": "select 1",  # the test publishes three people before
    "few_profiles_merge": _changes("merge", 11),
    "few_profiles_split": _changes("split", 11),
    "few_profiles_get_another_id": _changes("renamed", 51),
    "nobody_has_too_many_records": "insert into identity.party_groups select 'Q' || i, 'p0' from range(40) t(i)",
    "someone_there": """
        delete from profile.customer_profile where profile_type <> 'unattributed'""",
    "nps_in_range": "update cx.cx_metrics_daily set value = 101 where metric = 'nps_relationship'",
    "nps_parts_add_up": "update cx.cx_metrics_daily set passive_count = 1 where metric = 'nps_relationship'",
    "shares_in_range": "update profile.customer_profile set app_90d_share = 1.01 where profile_id = 'p0'",
    "nothing_after_as_of": """
        update profile.customer_profile set last_login_at = timestamptz '2024-03-04 23:30:00+00' where profile_id = 'p0'
    """,
    "cx_metric_moves_effects_add_up": _change("cx_metric_moves", "mix_effect", "0.001", _NPS),
    "cx_metric_moves_changes_are_differences": _change("cx_metric_moves", "total_before", "1", _NPS),
    "cx_metric_moves_shares_in_range": _change("cx_metric_moves", "value_before", "1.01", _FCR),
    "cx_metric_moves_nps_in_range": _change("cx_metric_moves", "value_before", "-101", _NPS),
    "cx_metric_moves_parts_are_there": _change("cx_metric_moves", "n_before", "0", _NPS),
    "cx_metric_moves_bounds_in_order": _change("cx_metric_moves", "change_lower_bound", "-3", _NPS),
    "cx_drivers_importance_adds_up": _change("cx_drivers", "importance_share", "0.7", _WAIT),
    "cx_drivers_estimates_are_whole": _change("cx_drivers", "driver_mean", "null", _WAIT),
    "cx_drivers_bounds_in_order": _change("cx_drivers", "effect_low_points", "-4.5", _WAIT),
    "cx_drivers_r_squared_in_range": _change("cx_drivers", "r_squared", "1.2", _WAIT),
    "cx_drivers_persons_answered": _change("cx_drivers", "n_persons", "251", _WAIT),
    "text_sentiments_sentiment_in_range": "update cx.text_sentiments set sentiment = 0",
    "text_sentiments_sentiment_score_in_range": "update cx.text_sentiments set sentiment_score = 5.01",
    "text_aspects_polarity_in_range": "update cx.text_aspects set polarity = -2",
    "topics_daily_tail_probability_in_range": "update cx.topics_daily set tail_probability = 1.01",
}


def _blocking() -> list[tuple[suites.Suite, suites.Rule]]:
    found = [suites.read(path) for path in sorted((PROJECT / "expectations/candidate").glob("*.json"))]
    return [(suite, rule) for suite in found for rule in suite.rules if rule.level == "block"]


def _is_of_key(rule: suites.Rule) -> bool:
    return rule.name.endswith(("_grain", "_given"))


@pytest.mark.parametrize("rule", [rule.name for _, rule in _blocking() if not _is_of_key(rule)])
def test_a_seeded_defect_blocks_by_its_rule(settings: Settings, warehouse: Callable[[str], None], rule: str) -> None:
    warehouse(DEFECTS[rule])
    publication(settings, 3 if rule == "profiles_not_lost" else 1, date(2024, 3, 3))
    report = blocked(settings)
    beside = {"profiles_not_lost"} if rule == "someone_there" else set()
    assert {(v.rule, v.outcome) for v in report.blocking} == {(name, "failed") for name in {rule} | beside}


def test_few_changes_of_people_pass_and_many_name_their_cause(
    settings: Settings, warehouse: Callable[[str], None]
) -> None:
    link = "insert into identity.party_links values ('P0', 'P1', 'phone_name', 'k1:phone:7', 'joined');"
    warehouse(link + _changes("merge", 10))
    publication(settings, 1, date(2024, 3, 3))
    check_candidate(settings, "run")
    warehouse(link + _changes("merge", 11))
    (verdict,) = blocked(settings).blocking
    assert str(verdict.detail).startswith("Causes: 11 by phone_name, 11 of them over k1:phone:7.")


@pytest.mark.parametrize(
    ("twice", "blocks"),
    [
        ("insert into staging.stg_app_events from staging.stg_app_events", True),
        ("insert into staging.stg_app_events select * replace (date '2024-03-01' as business_date)"
         " from staging.stg_app_events", True),
        ("insert into staging.stg_call_logs from staging.stg_call_logs", False),
        ("insert into staging.stg_call_logs from staging.stg_call_logs; update raw.run set full_refresh = true", True),
    ],
    ids=["in scope", "on another day too", "out of scope", "everything is built"],
)  # fmt: skip
def test_keys_of_events_in_scope_are_staged_once(
    settings: Settings, warehouse: Callable[[str], None], twice: str, blocks: bool
) -> None:
    warehouse(twice)
    report = blocked(settings) if blocks else check_candidate(settings, "run")
    assert [verdict.rule for verdict in report.blocking] == (["keys_staged_once"] if blocks else [])


def test_a_repeated_or_missing_key_of_any_table_blocks_by_its_rule(
    settings: Settings, warehouse: Callable[[str], None]
) -> None:
    rules = [(suite.relation, rule) for suite, rule in _blocking() if _is_of_key(rule)]
    warehouse(
        ";".join(
            _missing(table, rule.column) if rule.column and not rule.name.endswith("_grain") else _repeat(table)
            for table, rule in rules
        )
    )
    found = {(v.rule, v.outcome) for v in blocked(settings).blocking}
    assert {(rule.name, "failed") for _, rule in rules} <= found


def test_shares_of_every_table_are_looked_at(settings: Settings, warehouse: Callable[[str], None]) -> None:
    warehouse("update cx.topics_daily set negative_share = 1.01")
    assert [v.rule for v in blocked(settings).blocking] == ["shares_in_range"]


def test_a_sound_candidate_passes_and_a_first_one_says_that_it_has_no_history(
    settings: Settings, warehouse: Callable[..., None]
) -> None:
    warehouse()
    report = check_candidate(settings, "run")
    assert [v.sentence() for v in report.verdicts if v.blocks] == []
    assert report.summary()["warnings"] == ["unattributed_usual"]
    with ledger.session(settings) as session:
        rows = list(session.scalars(select(GateResult)))
    assert len(rows) == len(report.verdicts)
    assert {(r.gate, r.arrival_number, r.run_id) for r in rows} == {("candidate", None, "run")}
    (history,) = [r for r in rows if r.rule == "profiles_not_lost"]
    assert (history.outcome, history.detail) == (
        "passed",
        "no history: no publication for this day or an earlier one whose files are kept",
    )
    with duckdb.connect(str(settings.warehouse)) as db:  # the gate gave the file back
        db.execute("create table others_may_write as select 1")


def test_people_are_compared_with_the_last_publication_for_no_later_day(
    settings: Settings, warehouse: Callable[..., None]
) -> None:
    warehouse()
    publication(settings, 100, date(2024, 3, 5))
    publication(settings, 2, date(2024, 3, 4))
    assert check_candidate(settings, "run").blocking == []


def test_prospects_who_join_people_are_no_loss_and_new_ones_hide_none(
    settings: Settings, warehouse: Callable[..., None]
) -> None:
    warehouse("""
        insert into profile.customer_profile
        select 'd' || i, 'prospect', 'device', null, null, null, 0 from range(100) t(i)
    """)
    publication(settings, 2, date(2024, 3, 3), prospects=500)
    assert check_candidate(settings, "run").blocking == []
    publication(settings, 3, date(2024, 3, 4), prospects=0)
    assert [verdict.rule for verdict in blocked(settings).blocking] == ["profiles_not_lost"]


def test_what_cannot_be_checked_blocks_and_says_what_is_missing(
    settings: Settings, warehouse: Callable[..., None]
) -> None:
    warehouse("""
        drop table cx.cx_metrics_daily;
        alter table profile.customer_timeline drop column touchpoint_id;
        alter table daily.int_money__daily drop column profile_id
    """)
    report = blocked(settings)
    open_rules = {v.rule: v.detail for v in report.blocking if v.outcome == "could not check"}
    assert {v.outcome for v in report.blocking} == {"could not check"}
    assert "unattributed_usual" in report.summary()["warnings"]
    assert {"cx_metrics_daily_grain", "nps_in_range", "shares_in_range", "customer_timeline_grain"} <= set(open_rules)
    assert "touchpoint_id" in str(open_rules["customer_timeline_grain"])
    assert {v.outcome for v in report.verdicts if v.rule.startswith("customer_profile_")} == {"passed"}


def test_a_missing_warehouse_blocks(settings: Settings) -> None:
    assert {v.outcome for v in blocked(settings).verdicts} == {"could not check"}


def test_nothing_personal_leaves_the_gate(
    settings: Settings,
    warehouse: Callable[..., None],
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    warehouse(f"""
        update profile.customer_profile set profile_id = '{CANARY}' where profile_id <> 'unattributed';
        update profile.customer_timeline set touchpoint_id = null;
        insert into profile.customer_identifiers select '{CANARY}', 'phone', '{CANARY}', valid_from
        from profile.customer_identifiers, range(2)
    """)
    own = settings.home / "config/expectations/candidate/ours.json"
    own.parent.mkdir(parents=True)
    own.write_text(
        """{"name": "candidate.ours", "meta": {"relation": "profile.customer_profile"}, "expectations": [
            {"type": "unexpected_rows_expectation", "severity": "critical", "notes": "ours",
             "kwargs": {"unexpected_rows_query": "select * from {batch} where profile_type = 'customer'"},
             "meta": {"rule": "ours", "next": "look"}},
            {"type": "unexpected_rows_expectation", "severity": "critical", "notes": "ours",
             "kwargs": {"unexpected_rows_query": "select * from {batch} where cast(profile_id as int) = 1"},
             "meta": {"rule": "ours_broken", "next": "look"}}]}"""
    )
    with pytest.raises(GateFailed) as failed:
        check_candidate(settings, "run")
    outcomes = {v.rule: v.outcome for v in failed.value.report.verdicts}
    assert (outcomes["ours"], outcomes["ours_broken"]) == ("failed", "could not check")
    assert outcomes["customer_profile_grain"] == outcomes["customer_identifiers_grain"] == "failed"
    pages = {path.name: path.read_text() for path in (settings.reports / "data_docs").iterdir()}
    assert {"candidate.ours.html", "candidate.customer_profile.html", "index.html"} <= set(pages)
    with ledger.session(settings) as session:
        rows = str([vars(r) for r in session.scalars(select(GateResult))])
    out = capfd.readouterr()
    for place in (*pages.values(), rows, str(failed.value), repr(failed.value.report), out.out, out.err, caplog.text):
        assert CANARY not in place
