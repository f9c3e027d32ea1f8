"""Alerts: the models' SQL on made-up metric rows, held against a plain reading of the rule and against chance.

The rows are those of ``cx_metrics_daily``, drawn many series at once; what is proved is the way from a day's figure to
an episode. Seeds under 1,000 were used to write the tests, those from 1,000 on prove.
"""

import csv
import json
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
import yaml
from scipy.stats import poisson

from cx360 import warehouse

Row = dict[str, Any]

FIRST = date(2026, 1, 1)
LAST = date(2026, 12, 31)
DIMENSIONS = ("segment", "region", "channel", "touchpoint", "product", "tier")
SEEDS = warehouse.DBT_PROJECT / "seeds"
BUDGET = "assert_false_alerts_stay_under_their_budget"
CAN_HOLD = "assert_alert_rules_and_benchmarks_can_hold"
STATED = "assert_stated_false_alerts_are_the_formula"
MODELS = ("int_cx__baselines", "int_cx__keyword_days", "int_cx__alert_days", "cx_alerts")
FIGURES = ("int_cx__metrics", "cx_metrics_daily")

#: Days of topics; none.
NO_TEXTS = pa.table(
    {
        "topic": pa.array([], pa.string()),
        "business_date": pa.array([], pa.date32()),
        "text_count": pa.array([], pa.int64()),
        "read_count": pa.array([], pa.int64()),
    }
)

#: What is known of an episode besides its evidence.
SHAPE = ("product", "opened_date", "first_breach_date", "last_seen_date", "closed_date", "breach_count")
SHAPE += ("reopened_count", "reopened_date", "worst_value")


def shipped(rule: str) -> Row:
    """A rule of the shipped seed."""
    with (SEEDS / "cx_alert_rules.csv").open(encoding="utf-8") as lines:
        return next({k: v or None for k, v in row.items()} for row in csv.DictReader(lines) if row["rule"] == rule)


def rule(**values: Any) -> Row:
    """A rule that watches products, with everything a rule has."""
    return shipped("service_level_low") | {"dimension_set": "product"} | values


def day(offset: int) -> date:
    return FIRST + timedelta(days=int(offset))


@pytest.fixture(scope="module")
def sql(target: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The SQL of the models as dbt compiles it."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner
    from dbt.contracts.graph.manifest import Manifest

    folder = tmp_path_factory.mktemp("compiled")
    manifest = Manifest.from_msgpack((target / "partial_parse.msgpack").read_bytes())
    project = str(warehouse.DBT_PROJECT)
    arguments = ["--quiet", "--no-version-check", "compile", "--project-dir", project, "--profiles-dir", project]
    arguments += ["--target-path", str(folder)]
    arguments += ["--vars", json.dumps({"as_of": LAST.isoformat(), "timezone": "UTC"})]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CX360_WAREHOUSE", str(folder / "cx360.duckdb"))
        result = dbtRunner(manifest=manifest).invoke(
            [*arguments, "--select", *FIGURES, *MODELS, BUDGET, CAN_HOLD, STATED]
        )
    DuckDBConnectionManager.close_all_connections()
    assert result.success, result.exception
    return {each.node.name: each.node.compiled_code for each in result.result}


@pytest.fixture
def bank(sql: dict[str, str]) -> Iterator[Callable[..., list[Row]]]:
    """Runs the models on rules, benchmarks and metric rows; gives the rows of a relation."""
    db = duckdb.connect()
    db.execute("attach ':memory:' as cx360; create schema cx360.cx; create schema cx360.seeds")
    db.execute(
        "create table cx360.seeds.cx_metric_registry as select * from (values"
        " ('up', 'up', 'share', 'mean', 'share'), ('down', 'down', 'share', 'mean', 'share'),"
        " ('count', 'none', 'none', 'sum', 'contacts')"
        ") t(metric, direction, interval_method, adds_as, unit);"
        "create table cx360.cx.int_cx__rules as select 28 as alert_budget_days, 5 as identifying_below_n"
    )

    def seed(name: str, rows: list[Row]) -> None:
        described = yaml.safe_load((SEEDS / f"{name}.yml").read_text())["seeds"][0]["config"]["column_types"]
        columns = ", ".join(f"{column} {type_}" for column, type_ in described.items())
        db.execute(f"create or replace table cx360.seeds.{name} ({columns})")
        for row in rows:
            db.execute(
                f"insert into cx360.seeds.{name} by name select " + ", ".join(f"? as {column}" for column in row),
                list(row.values()),
            )

    def run(
        rules: list[Row],
        metrics: pa.Table,
        benchmarks: list[Row] = (),
        as_of: date = LAST,
        final_after: int = 0,
        asked: str = "cx_alerts",
        open_days: list[date] | None = None,
        texts: pa.Table = NO_TEXTS,
    ) -> list[Row]:
        seed("cx_alert_rules", rules)
        seed("cx_benchmarks", list(benchmarks))
        every = ", ".join(f"'(all)' as {name}" for name in DIMENSIONS if name != "product")
        db.register("told", metrics)
        db.register("open_days", pa.table({"metric_date": open_days or [day(i) for i in range(365)]}))
        db.execute(
            "create or replace table cx360.cx.cx_metrics_daily as"
            f" select *, 'product' as dimension_set, {every}, metric_date + {final_after} <= date '{as_of}' as is_final"
            f" from told where metric_date <= date '{as_of}'"
        )
        db.execute(
            "create or replace table cx360.cx.int_cx__days as select metric, 1 as window_days, metric_date,"
            f" metric_date + {final_after} as final_date from open_days, (select distinct metric from told)"
            f" where metric_date <= date '{as_of}'"
        )
        db.register("texts", texts)
        db.execute(
            "create or replace table cx360.cx.int_words__topic_days as"
            f" select *, '(all)' as language from texts where business_date <= date '{as_of}'"
        )
        for model in MODELS:
            compiled = sql[model].replace(LAST.isoformat(), as_of.isoformat())
            db.execute(f"create or replace table cx360.cx.{model} as {compiled}")
        if asked == "cx_alerts":
            return db.table("cx360.cx.cx_alerts").to_arrow_table().to_pylist()
        return db.sql(sql[asked]).to_arrow_table().to_pylist()

    yield run
    db.close()


def shares(good: np.ndarray, n: np.ndarray, metric: str = "up") -> pa.Table:
    """Metric rows of shares with Wilson's interval; one row per series and day, none where n is 0."""
    series, days = np.nonzero(n)
    n, good = n[series, days].astype(float), good[series, days].astype(float)
    z, share = 1.959963984540054, good / n
    middle, half = share + z * z / (2 * n), z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return pa.table(
        {
            "metric": pa.array([metric] * len(n)),
            "metric_date": pa.array(np.datetime64(FIRST, "D") + days),
            "product": pa.array([f"p{i:04}" for i in series]),
            "n": pa.array(n.astype(np.int64)),
            "value": pa.array(np.round(share, 6)),
            "lower_bound": pa.array(np.round((middle - half) / (1 + z * z / n), 6)),
            "upper_bound": pa.array(np.round((middle + half) / (1 + z * z / n), 6)),
        }
    )


def counts(n: np.ndarray) -> pa.Table:
    """Metric rows of counts; none of a day without any."""
    rows = shares(n, n, "count")
    none = pa.nulls(rows.num_rows, pa.float64())
    rows = rows.set_column(4, "value", rows["n"].cast(pa.float64()))
    return rows.set_column(5, "lower_bound", none).set_column(6, "upper_bound", none)


# The rule, read plainly: one day after the other.


def episodes(days: list[tuple[date, str | None, float]], k: int, c: int, g: int, is_high_bad: bool) -> list[Row]:
    """Episodes of one series of (day, state, value) in order of days."""
    found: list[Row] = []
    breaches = clears = 0
    first, is_open = FIRST, False
    for today, state, _ in days:
        if state is None:
            continue
        breaches, clears = (breaches + 1, 0) if state == "breach" else (0, clears + 1)
        first = today if breaches == 1 else first
        if not is_open and breaches == k:
            is_open = True
            if found and (today - found[-1]["closed_date"]).days <= g:
                found[-1]["closed_date"] = None
                found[-1]["reopened_count"] += 1
                found[-1]["reopened_date"] = today
            else:
                found.append({"opened_date": today, "first_breach_date": first, "closed_date": None})
                found[-1] |= {"reopened_count": 0, "reopened_date": None}
        if is_open and clears == c:
            is_open = False
            found[-1]["closed_date"] = today
    for each in found:
        until = each["closed_date"] or LAST
        bad = [(d, value) for d, state, value in days if state == "breach" and each["first_breach_date"] <= d <= until]
        values = [value for _, value in bad]
        each |= {"last_seen_date": bad[-1][0], "breach_count": len(bad)}
        each["worst_value"] = max(values) if is_high_bad else min(values)
    return found


def read_scores(rows: pa.Table, rule: Row, levels: list[tuple[date, float]], until: date) -> list[Row]:
    """Alerts of a rule on scores, from rows up to a day."""
    series: dict[str, list[tuple[date, str | None, float]]] = {}
    up = rule["metric"] == "up"
    for row in sorted(rows.to_pylist(), key=lambda row: (row["product"], row["metric_date"])):
        if row["metric_date"] > until:
            continue
        level = [value for start, value in levels if start <= row["metric_date"]][-1]
        if row["n"] < rule["minimum_n"]:
            state = None
        elif row["upper_bound"] < level if up else row["lower_bound"] > level:
            state = "breach"
        else:
            state = "clear" if (row["value"] >= level if up else row["value"] <= level) else None
        series.setdefault(row["product"], []).append((row["metric_date"], state, row["value"]))
    return _read(series, rule, not up)


def read_counts(n: np.ndarray, rule: Row, open_days: list[date], until: date) -> list[Row]:
    """Alerts of a rule on counts, from the open days up to a day."""
    series = {}
    for number, line in enumerate(n):
        kept = [(d, int(line[(d - FIRST).days])) for d in open_days if d <= until]
        days = []
        for i in range(28, len(kept)):
            before = sum(count for _, count in kept[i - 28 : i])
            today, count = kept[i]
            is_over = count > before / 28 * (1 + rule["over_baseline_share"]) + 1e-9
            if before < rule["minimum_n"]:
                state = None
            elif not is_over:
                state = "clear"
            else:
                state = "breach" if poisson.sf(count - 1, before / 28) < rule["breach_chance"] else None
            days.append((today, state, float(count)))
        if any(count for _, count in kept):
            series[f"p{number:04}"] = days
    return _read(series, rule, True)


def _read(series: dict[str, list[tuple[date, str | None, float]]], rule: Row, is_high_bad: bool) -> list[Row]:
    sizes = (rule["opens_after"], rule["closes_after"], rule["reopens_within_days"])
    return [{"product": name} | each for name, days in series.items() for each in episodes(days, *sizes, is_high_bad)]


def shapes(alerts: list[Row]) -> list[tuple[Any, ...]]:
    return sorted((tuple(each[name] for name in SHAPE) for each in alerts), key=lambda shape: shape[:2])


def restless(seed: int, series: int, days: int) -> tuple[np.ndarray, np.ndarray]:
    """Shares that fall and rise again, with days of few answers and of none."""
    chance = np.random.default_rng(seed)
    turns = np.cumsum(chance.random((series, days)) < 0.15, axis=1) % 2
    n = chance.choice([0, 20, 60, 200], (series, days), p=[0.1, 0.1, 0.4, 0.4])
    return chance.binomial(n, np.where(turns == 1, 0.62, 0.82)), n


LEVELS = [(FIRST, 0.8), (day(60), 0.75)]
BENCHMARKS = [
    dict.fromkeys(DIMENSIONS, "(all)")
    | {"benchmark": "b", "kind": "target", "metric": "up", "dimension_set": "total", "tolerance": 0, "value": value}
    | {"valid_from": start, "valid_to": end, "source": "", "reason": ""}
    for (start, value), end in zip(LEVELS, (LEVELS[1][0], None), strict=True)
]


@pytest.mark.parametrize(("k", "c", "g"), [(3, 3, 7), (2, 1, 0), (1, 2, 10), (4, 2, 3)])
@pytest.mark.parametrize("side", ["up", "down"])
def test_alerts_are_those_of_a_plain_reading_to_the_day(bank, k, c, g, side) -> None:
    good, n = restless(1000 + k, 80, 120)
    told = rule(metric=side, opens_after=k, closes_after=c, reopens_within_days=g, minimum_n=50)
    if side == "up":
        told |= {"breach_kind": "benchmark", "benchmark": "b"}
        rows, levels = shares(good, n), LEVELS
    else:
        told |= {"breach_kind": "low_score", "benchmark": None, "level": 0.25}
        rows, levels = shares(n - good, n, "down"), [(FIRST, 0.25)]
    found = bank([told], rows, BENCHMARKS)
    assert len(found) > 50
    assert len({each["alert_id"] for each in found}) == len(found)
    assert shapes(found) == shapes(read_scores(rows, told, levels, LAST))


def many(seed: int) -> tuple[np.ndarray, list[date]]:
    """Counts that double now and then, and the days the bank was open."""
    chance = np.random.default_rng(seed)
    turns = np.cumsum(chance.random((60, 150)) < 0.05, axis=1) % 2
    mean = chance.choice([0.3, 3, 15, 60], (60, 1)) * (1 + turns)
    return chance.poisson(mean), [day(i) for i in range(150) if i % 7 not in (5, 6)]


COUNT_RULE = rule(
    rule="many",
    metric="count",
    breach_kind="over_baseline",
    benchmark=None,
    over_baseline_share=0.5,
    breach_chance=0.05,
    opens_after=2,
    closes_after=2,
    reopens_within_days=5,
    minimum_n=20,
)


def test_alerts_on_counts_are_those_of_a_plain_reading_to_the_day(bank) -> None:
    n, open_days = many(1000)
    n[:, [i for i in range(150) if day(i) not in open_days]] = 0
    found = bank([COUNT_RULE], counts(n), open_days=open_days)
    assert len(found) > 20
    assert shapes(found) == shapes(read_counts(n, COUNT_RULE, open_days, LAST))


def test_day_by_day_opens_what_one_backfill_opens(bank) -> None:
    """Also where figures are final a week later: a build knows the episodes of the days that are final by then."""
    good, n = restless(1100, 40, 100)
    told = rule(
        metric="up",
        breach_kind="benchmark",
        benchmark="b",
        minimum_n=50,
        opens_after=2,
        closes_after=2,
        reopens_within_days=7,
    )
    rows = shares(good, n)
    whole = bank([told], rows, BENCHMARKS, final_after=7)
    for offset in (10, 25, 40, 41, 42, 43, 44, 45, 60, 75, 90, 106):
        by_then = bank([told], rows, BENCHMARKS, as_of=day(offset), final_after=7)
        known = day(offset - 7)
        assert shapes(by_then) == shapes(read_scores(rows, told, LEVELS, known))
        opened = {each["alert_id"] for each in whole if each["opened_date"] <= known}
        assert {each["alert_id"] for each in by_then} == opened


def figures(sql: dict[str, str], good: np.ndarray, weighed_until: date) -> pa.Table:
    """What the models tell of days of 40 answers, of which those up to a day have weights: half of them 1.8, half 0.2.

    They are worth 40 / 1.64 = 24.4 answers then.
    """
    series, days = np.indices(good.shape).reshape(2, -1)
    is_weighed = np.where(np.datetime64(FIRST, "D") + days <= np.datetime64(weighed_until), 1, 0)
    good = good.reshape(-1)
    cells = pa.table(
        {
            "metric_date": pa.array(np.datetime64(FIRST, "D") + days),
            "product": pa.array([f"p{i:04}" for i in series]),
            **{name: pa.array(np.full(good.shape, 40)) for name in ("n", "n_persons", "n_answers")},
            **{name: pa.array(good) for name in ("value_sum", "square_sum")},
            **{name: pa.array(good * is_weighed) for name in ("weighted_sum", "weighted_square_sum")},
            **{name: pa.array(40 * is_weighed) for name in ("n_weighted", "weight_sum")},
            "weight_square_sum": pa.array(65.6 * is_weighed),
        }
    )
    every = ", ".join(f"'(all)' as {name}" for name in DIMENSIONS if name != "product")
    with duckdb.connect() as db:
        db.execute("attach ':memory:' as cx360; create schema cx360.cx; create schema cx360.seeds")
        db.register("made", cells)
        db.execute(
            "create table cx360.cx.int_cx__cells as select *, 'up' as metric, 'up' as counted_metric, 1 as window_days,"
            f" 'product' as dimension_set, {every}, 0 as n_left_out, 0 as promoter_count, 0 as detractor_count,"
            " 'share' as unit, 'share' as interval_method, null::varchar as invitation_metric, false as is_total,"
            " false as is_told_by_n, false as is_median from made;"
            "create table cx360.cx.int_cx__days as select distinct metric, window_days, metric_date, true as is_final,"
            " 1 as digest from cx360.cx.int_cx__cells;"
            "create table cx360.cx.int_cx__medians as select *, 0.0 as median_value, 0.0 as lower_value,"
            " 0.0 as upper_value from cx360.cx.int_cx__cells where false;"
            "create table cx360.cx.int_cx__hidden_cells as from cx360.cx.int_cx__cells where false;"
            "create table cx360.cx.int_cx__rules as select 30 as reliable_from_n;"
            "create table cx360.seeds.cx_metric_registry as select null::varchar as invitation_metric;"
            "create table cx360.seeds.cx_benchmarks as select *, '' as kind, 0.0 as value, metric_date as valid_from,"
            " metric_date as valid_to from cx360.cx.int_cx__cells where false"
        )
        for model in FIGURES:
            db.execute(f"create table cx360.cx.{model} as {sql[model]}")
        told = "metric, metric_date, product, n, value, lower_bound, upper_bound, effective_n, weighted_value"
        return db.sql(f"select {told} from cx360.cx.cx_metrics_daily order by product, metric_date").to_arrow_table()


def test_alerts_stay_when_weights_become_known(bank, sql) -> None:
    """Weeks after the day was told; they are of fewer answers than a figure needs, and only the weighted one waits."""
    chance = np.random.default_rng(1400)
    turns = np.cumsum(chance.random((40, 100)) < 0.15, axis=1) % 2
    good = chance.binomial(40, np.where(turns == 1, 0.5, 0.85))
    told = rule(metric="up", breach_kind="low_score", benchmark=None, level=0.75, minimum_n=30, opens_after=2)
    of_metric = ["metric", "metric_date", "product", "n", "value", "lower_bound", "upper_bound"]
    backfill = figures(sql, good, LAST)
    assert set(np.round(backfill["effective_n"].to_numpy(), 6)) == {24.390244}
    whole = bank([told], backfill.select(of_metric))
    assert len(whole) > 10
    for offset in (20, 45, 70, 99):
        by_then = figures(sql, good, day(offset - 40))
        assert by_then["effective_n"].null_count > 0
        assert by_then.select(of_metric) == backfill.select(of_metric)
        assert by_then["weighted_value"].null_count == by_then.num_rows
        opened = {each["alert_id"] for each in whole if each["opened_date"] <= day(offset)}
        assert {each["alert_id"] for each in bank([told], by_then.select(of_metric), as_of=day(offset))} == opened


def test_counts_day_by_day_open_what_one_backfill_opens(bank) -> None:
    n, open_days = many(1200)
    n[:, [i for i in range(150) if day(i) not in open_days]] = 0
    whole = bank([COUNT_RULE], counts(n), open_days=open_days)
    for offset in (40, 70, 71, 72, 110):
        by_then = bank([COUNT_RULE], counts(n), as_of=day(offset), open_days=open_days)
        opened = {each["alert_id"] for each in whole if each["opened_date"] <= day(offset)}
        assert {each["alert_id"] for each in by_then} == opened


def texts_of(n: np.ndarray, read: np.ndarray) -> pa.Table:
    """Days of topics: how many texts name each, and how many were read; none where nothing was."""
    topics, days = np.nonzero(np.broadcast_to(read, n.shape))
    return pa.table(
        {
            "topic": pa.array([f"t{i:04}" for i in topics]),
            "business_date": pa.array(np.datetime64(FIRST, "D") + days),
            "text_count": pa.array(n[topics, days].astype(np.int64)),
            "read_count": pa.array(np.broadcast_to(read, n.shape)[topics, days].astype(np.int64)),
        },
        schema=NO_TEXTS.schema,
    )


def keyword_rules(n: int, **values: Any) -> list[Row]:
    """A rule per topic."""
    told = shipped("regulator_named") | values
    return [told | {"rule": f"named_{i}", "keyword": f"t{i:04}"} for i in range(n)]


def read_keywords(n: np.ndarray, read: np.ndarray, rule: Row, until: date) -> list[Row]:
    """Alerts of a rule per topic, from the days on which texts were read."""
    level, least = float(rule["level"]), int(rule["minimum_n"])
    series = {
        f"t{number:04}": [
            (day(i), None if read[i] < least else "breach" if line[i] >= level else "clear", float(line[i]))
            for i in range(len(line))
            if read[i] and day(i) <= until
        ]
        for number, line in enumerate(n)
    }
    return _read(series, {name: int(rule[name]) for name in rule if name.endswith(("after", "days"))}, True)


def named(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Texts that name 40 topics, now and then many, and texts read; on some days few are, or none."""
    chance = np.random.default_rng(seed)
    turns = np.cumsum(chance.random((40, 150)) < 0.06, axis=1) % 2
    read = chance.choice([0, 4, 7, 400], 150, p=[0.1, 0.1, 0.1, 0.7])
    return np.minimum(chance.poisson(chance.choice([0.2, 2, 5], (40, 1)) * (1 + 3 * turns)), read), read


@pytest.mark.parametrize(("k", "c", "g"), [(2, 3, 7), (1, 1, 0), (3, 2, 10)])
def test_alerts_on_keywords_are_those_of_a_plain_reading_to_the_day(bank, k, c, g) -> None:
    n, read = named(1300 + k)
    told = keyword_rules(40, level=6, minimum_n=6, opens_after=k, closes_after=c, reopens_within_days=g)
    texts = texts_of(n, read)
    found = bank(told, counts(n[:0]), texts=texts)
    assert len(found) > 30
    assert g == 0 or any(each["reopened_count"] for each in found)
    assert shapes(found) == shapes(read_keywords(n, read, told[0], LAST))
    assert min(min(each["opening_n"], each["worst_value"]) for each in found) >= 6
    owners = {(each["owner"], each["metric"], each["opening_benchmark_value"]) for each in found}
    assert owners == {("complaints-desk", "topic_text_count", 6)}
    for offset in (30, 70, 71, 72, 110):
        by_then = bank(told, counts(n[:0]), as_of=day(offset), texts=texts)
        opened = {each["alert_id"] for each in found if each["opened_date"] <= day(offset)}
        assert {each["alert_id"] for each in by_then} == opened
        assert shapes(by_then) == shapes(read_keywords(n, read, told[0], day(offset)))


def test_a_keyword_rule_tells_of_no_person_and_states_the_chance_of_its_level(bank) -> None:
    [sound] = keyword_rules(1)
    faults = {"level": 4, "minimum_n": 6, "keyword": None, "usual_count": None, "dimension_set": "total"}
    for asked, wrong in ((CAN_HOLD, faults), (STATED, {"usual_count": 0.6, "clear_chance": 0.5, "opens_after": 1})):
        assert bank([sound], counts(np.zeros((0, 9))), asked=asked) == []
        for name, value in wrong.items():
            assert len(bank([sound | {name: value}], counts(np.zeros((0, 9))), asked=asked)) == 1, name


def test_quiet_keywords_have_as_many_episodes_as_stated(bank) -> None:
    """Test: within the 99 % Poisson interval of the stated rate. 2,000 series of 2 texts a day, alpha 0.01."""
    n = np.random.default_rng(1000).poisson(2, (2000, 365))
    chance = float(poisson.sf(5, 2))
    told = keyword_rules(2000, level=6, opens_after=2, usual_count=2)
    low, high = poisson.interval(0.99, 2000 * 365 * (1 - chance) * chance**2 / (1 - chance**2))
    assert low <= len(bank(told, counts(n[:0]), texts=texts_of(n, np.full(365, 100)))) <= high


def test_a_changed_rule_closes_what_it_watched_and_begins_anew(bank) -> None:
    good, n = np.full((1, 30), 100), np.full((1, 30), 200)
    old = rule(metric="up", breach_kind="low_score", benchmark=None, level=0.6, valid_to=day(10))
    new = old | {"rule_version": 2, "level": 0.7, "valid_from": day(10), "valid_to": None}
    found = sorted(bank([old, new], shares(good, n)), key=lambda each: each["rule_version"])
    assert [(each["rule_version"], each["opened_date"], each["closed_date"]) for each in found] == [
        (1, day(2), day(10)),
        (2, day(12), None),
    ]
    assert found[1]["alert_id"] == f"service_level_low:product:p0000:{day(12)}"
    assert (found[1]["opening_n"], found[1]["opening_value"], found[1]["opening_benchmark_value"]) == (200, 0.5, 0.7)


# What is planted is found; where nothing is planted, no more is found than the rule says.

LEVEL = [BENCHMARKS[0] | {"benchmark": "service_level", "valid_to": None}]


def test_a_planted_fall_is_told_within_five_days(bank) -> None:
    """Test: exactly one episode in 180 days, opened within 5 days of the fall, in 95 % of 200 seeds.

    Effect: a share of 0.80, where the benchmark is, falls to 0.70 for 30 days, of 400 a day. Rule: as shipped (k = 3).
    """
    good = []
    for seed in range(1000, 1200):
        share = np.full(180, 0.8)
        share[100:130] = 0.7
        good.append(np.random.default_rng(seed).binomial(400, share))
    found = bank([rule(metric="up")], shares(np.array(good), np.full((200, 180), 400)), LEVEL)
    opened: dict[str, list[date]] = {}
    for each in found:
        opened.setdefault(each["product"], []).append(each["opened_date"])
    assert sum(len(days) == 1 and day(102) <= days[0] <= day(104) for days in opened.values()) >= 190


def test_a_planted_rise_of_counts_is_told_within_five_days(bank) -> None:
    """Test and seeds as above. Effect: complaints double from 40 a day for 14 days. Rule: complaints_many."""
    n = []
    for seed in range(1000, 1200):
        mean = np.full(180, 40)
        mean[100:114] = 80
        n.append(np.random.default_rng(seed).poisson(mean))
    found = bank([shipped("complaints_many") | {"dimension_set": "product", "metric": "count"}], counts(np.array(n)))
    opened: dict[str, list[date]] = {}
    for each in found:
        opened.setdefault(each["product"], []).append(each["opened_date"])
    assert sum(len(days) == 1 and day(102) <= days[0] <= day(104) for days in opened.values()) >= 190


def test_quiet_banks_have_as_many_episodes_as_stated(bank) -> None:
    """Test: the episodes of 2,000 series in a year lie within the 99 % Poisson interval of the stated rate.

    Nothing is planted: the share is where the benchmark is, 0.80, of 2,500 a day, days independent. Alpha: 0.01. Rule:
    as shipped (k = 3), and with k = 2, where there are more to count.
    """
    chance = np.random.default_rng(1000)
    rows = shares(chance.binomial(2500, 0.8, (2000, 365)), np.full((2000, 365), 2500))
    for told, k in ((rule(metric="up"), 3), (rule(metric="up", opens_after=2), 2)):
        p, c = float(told["breach_chance"]), float(told["clear_chance"])
        q = p / (p + c)
        stated = 365 * (p + c) * (1 - q) * q**k / (1 - q**k)
        if k == 3:
            assert stated == pytest.approx(float(told["expected_false_per_series_year"]), abs=1e-6)
        low, high = poisson.interval(0.99, 2000 * stated)
        assert low <= len(bank([told], rows, LEVEL)) <= high


def test_quiet_counts_have_no_more_episodes_than_stated(bank) -> None:
    """Test: not over the 99.5 % Poisson bound of the stated rate, which is an upper one. 1,000 series of 40 a day."""
    n = np.random.default_rng(1000).poisson(40, (1000, 365))
    told = shipped("complaints_many") | {"dimension_set": "product", "metric": "count"}
    stated = 1000 * float(told["expected_false_per_series_year"])
    assert len(bank([told], counts(n))) <= poisson.ppf(0.995, stated)


def test_too_many_series_name_their_rules(bank) -> None:
    """662 series of 0.0197 a year are 13.05, more than 365 / 28."""
    for series, named in ((661, []), (662, ["service_level_low"])):
        rows = shares(np.full((series, 1), 90), np.full((series, 1), 100))
        found = bank([rule(metric="up")], rows, LEVEL, asked=BUDGET)
        assert [(each["rule"], each["series_count"]) for each in found] == [(name, series) for name in named]
