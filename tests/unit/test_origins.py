"""Where columns of the profile come from: what the published table says, and how it is read off SQL."""

import csv
from typing import Any

import pytest
import yaml

from cx360 import origins
from cx360.origins import Lineage
from cx360.warehouse import DBT_PROJECT

PROFILE: list[dict[str, Any]] = yaml.safe_load(
    (DBT_PROJECT / "models" / "profile" / "customer_profile.yml").read_text(encoding="utf-8")
)["models"][0]["columns"]

with origins.SEED.open(newline="", encoding="utf-8") as lines:
    ROWS = {row["column_name"]: row for row in csv.DictReader(lines)}


def names(column: str, kind: str) -> set[str]:
    return set(filter(None, ROWS[column][kind].split(", ")))


def test_every_column_of_the_profile_is_told_with_what_its_yaml_says() -> None:
    told = [
        (row["column_name"], row["label_en"], row["label_zh"], row["unit"], row["time_window"]) for row in ROWS.values()
    ]
    meta = [(column["name"], column["config"]["meta"]) for column in PROFILE]
    assert told == [(name, m["label_en"], m["label_zh"], m["unit"], m["window"]) for name, m in meta]
    assert [int(row["column_number"]) for row in ROWS.values()] == list(range(1, len(PROFILE) + 1))


def test_only_a_setting_comes_from_no_feed() -> None:
    assert {column for column in ROWS if not names(column, "feeds")} == {"currency"}
    assert not any(ROWS["currency"][kind] for kind in ("domain", "models", "seeds", "shown_in"))
    assert all(row["domain"] and row["models"] for column, row in ROWS.items() if column != "currency")


#: Worked out by reading the models: feeds, seeds.
BY_HAND = {
    "city": ("parties", "survivorship"),
    "profile_type": ("account_parties accounts holdings", ""),
    "last_transaction_date": ("account_parties transactions", ""),
    "inflow_30d_amount": ("account_parties fx_rates transactions", "profile_rules"),
    "inflow_30d_trend": ("account_parties fx_rates parties transactions", "profile_rules survivorship"),
    "balance_amount": ("account_parties accounts fx_rates transactions", "profile_rules"),
    "aum_amount": ("account_parties accounts fx_rates holdings transactions", "product_kinds profile_rules"),
    "transaction_interval_median_days": ("account_parties transactions", "profile_rules transaction_categories"),
    "preferred_channel": (
        "account_parties app_events call_logs transactions", "contact_channels transaction_categories",
    ),
    "last_login_at": ("app_events", "app_login_events"),
    "app_features": ("app_events", "app_features"),
    "call_90d_count": ("call_logs", ""),
    "open_complaint_count": ("complaints", ""),
    "nps_last_score": ("survey_responses", ""),
    "fraud_risk_score": ("risk_scores", "risk_score_names"),
    "risk_flag_count": ("risk_scores", "risk_bands"),
    "outreach_reach_90d_share": ("outreach", ""),
    "points_expiring_3d_count": ("points_entries", ""),
    "is_senior": ("parties", "persona_rules survivorship"),
    "is_payroll": ("account_parties transactions", "persona_rules"),
}  # fmt: skip


@pytest.mark.parametrize("column", BY_HAND)
def test_a_column_names_the_feeds_and_rules_found_by_hand(column: str) -> None:
    feeds, seeds = BY_HAND[column]
    assert (names(column, "feeds"), names(column, "seeds")) == (set(feeds.split()), set(seeds.split()))


def test_money_knows_no_app_and_the_app_no_money() -> None:
    money = [
        column for column, row in ROWS.items() if row["domain"] in ("money", "joint_money", "balances", "aum", "rhythm")
    ]
    app = [column for column, row in ROWS.items() if row["domain"] == "app"]
    assert len(money) > 40 and len(app) > 20
    assert all(
        "transactions" in names(column, "feeds") and "app_events" not in names(column, "feeds") for column in money
    )
    assert all(
        "app_events" in names(column, "feeds") and "transactions" not in names(column, "feeds") for column in app
    )


@pytest.mark.parametrize(
    ("column", "seed"),
    [
        ("lifecycle_stage", "segment_rules"),
        ("micro_segment", "segment_schemes"),
        ("onboarding_wave", "onboarding_waves"),
        ("is_activated_90d", "profile_rules"),
        ("loyalty_tier", "loyalty_tier_rules"),
        ("digital_adoption_index", "app_features"),
        ("household_id", "identity_rules"),
    ],
)
def test_a_rule_that_macros_write_into_the_sql_is_named(column: str, seed: str) -> None:
    assert seed in names(column, "seeds")


@pytest.mark.parametrize(
    ("column", "table"),
    [
        ("city", "profile_attributes"),
        ("household_id", "customer_identifiers"),
        ("call_90d_count", "customer_timeline"),
        ("lifecycle_stage", "segment_membership"),
        ("loyalty_tier", "loyalty_tiers"),
        ("rfm_recency", "rfm_cut_points"),
    ],
)
def test_a_reader_is_led_to_the_rows(column: str, table: str) -> None:
    assert f"profile.{table}" in names(column, "shown_in")
    assert table in {path.stem for path in (DBT_PROJECT / "models").rglob("*.sql")}


def _model(room: str, parents: list[str], sql: str) -> dict[str, Any]:
    return {
        "resource_type": "model",
        "schema": room,
        "fqn": ["cx360", room],
        "depends_on": {"nodes": parents},
        "compiled_code": sql,
    }


def _nodes(feeds: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Staging models and their feeds, a model with one row of the last, who is whom by it, and a seed."""
    nodes = {"seed.rules": {"resource_type": "seed", "schema": "seeds", "name": "rules"}}
    for name, feed in feeds.items():
        columns = dict.fromkeys(("id", "value", "kind"))
        nodes[f"source.{feed}"] = {"resource_type": "source", "schema": "raw", "name": feed, "columns": columns}
        nodes[f"model.{name}"] = _model("staging", [f"source.{feed}"], f"select * from w.raw.{feed}")
    nodes["model.total"] = _model(
        "cx", [f"model.{name}"], f"select max(value) as value from w.staging.{name} where id > 0"
    )
    nodes["model.map"] = _model("identity", [f"model.{name}"], f"select id, value from w.staging.{name}")
    for unique_id, node in nodes.items():
        node["name"] = unique_id.split(".")[1]
        node["alias"] = node["name"]
    return nodes


def _origin(sql: str, *written_by: str) -> set[str]:
    """What column x of a select comes from; {a} and {b} are staging, {total} has one row, {map} is of identity."""
    rooms = {"a": "staging", "b": "staging", "total": "cx", "map": "identity"}
    sql = sql.format(**{name: f"w.{room}.{name}" for name, room in rooms.items()})
    nodes = _nodes({"a": "transactions", "b": "app_events", "c": "call_logs"})
    nodes["model.x"] = _model("profile", list(written_by), sql) | {"name": "x", "alias": "x"}
    found = Lineage({"nodes": nodes, "sources": {}}).comes_from("model.x", "x")
    return {nodes[each]["name"] for each in found} - {"x"}


MONEY, APP, CALLS = {"a", "transactions"}, {"b", "app_events"}, {"c", "call_logs"}


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("select l.value as x from {a} as l left join {b} as r on l.id = r.id", MONEY),
        ("select r.value as x from {a} as l left join {b} as r on l.id = r.id", MONEY | APP),
        ("select l.value as x from {a} as l left join {b} as r on l.id = r.id where r.id is null", MONEY | APP),
        ("select l.value as x from {a} as l inner join {b} as r on l.id = r.id", MONEY | APP),
        ("select l.value as x from {a} as l cross join {b} as r", MONEY | APP),
        ("select l.value as x from {a} as l cross join {total} as r", MONEY),
        ("select l.value + r.value as x from {a} as l cross join {total} as r", MONEY | {"total"} | CALLS),
        ("with s as (select * from {total}) select l.value as x from {a} as l cross join s", MONEY),
        ("select l.value as x from {a} as l where l.id in (select id from {b})", MONEY | APP),
        ("select l.value as x from {a} as l where exists (select 1 as n from {b} as r where r.id = l.id)", MONEY | APP),
        ("with s as (select id, count(*) as n from {a} group by id) select n as x from s", MONEY),
        ("select sum(l.value) as x from {a} as l left join {b} as r on l.id = r.id group by r.kind", MONEY | APP),
        ("select l.value as x from {a} as l inner join {map} as r on l.id = r.id", MONEY | {"map"}),
        ("select 1 as x", set()),
    ],
)
def test_a_column_comes_from_what_it_names_and_what_decides_on_its_rows(sql: str, found: set[str]) -> None:
    assert _origin(sql) == found


@pytest.mark.parametrize(("kind", "of_v"), [("union all", MONEY), ("union", MONEY | APP)])
def test_columns_of_a_union_go_by_place_and_by_all_where_repeats_go(kind: str, of_v: set[str]) -> None:
    """Columns u and v of a join, u from its right side; the second branch calls them otherwise."""
    joined = "with l as (select r.value as u, l.value as v from {a} as l left join {b} as r on l.id = r.id)"
    united = f"{joined}, s as (select u, v from l {kind} select u as p, v as q from l) select"
    assert _origin(f"{united} u as x from s") == MONEY | APP
    assert _origin(f"{united} v as x from s") == of_v


def test_a_seed_that_only_macros_read_is_part_of_every_column() -> None:
    assert _origin("select l.value as x from {a} as l", "model.a", "seed.rules") == MONEY | {"rules"}


def test_a_name_that_is_nowhere_is_an_error_and_no_empty_answer() -> None:
    with pytest.raises(Exception, match="nowhere"):
        _origin("select nowhere as x from {a} as l")
