"""Publications as readers and analysts see them, on a real server."""

import json
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest

from cx360 import ledger, postgres
from cx360.publish import KEPT, heal, publish, rollback
from cx360.sync import SyncError
from tests.serving.conftest import CANARY, Bank, Rows

Ask = Callable[..., Rows]

PROFILE = "select * from profile.customer_profile order by profile_id"
PLACES = "select profile_id, xmin::text, ctid::text from profile.customer_profile"


def everything(ask: Ask) -> dict[str, Rows]:
    """All published rows."""
    return {
        table: ask(f"select * from {table} order by 1, 2")
        for table in (
            "profile.customer_profile",
            "cx.cx_metrics_daily",
            "features.customer_features",
            "pii.identifier_values",
        )
    }


def test_every_row_and_type_arrives(bank: Bank, ask: Ask) -> None:
    """What PostgreSQL holds is what the warehouse holds, value by value."""
    publication = publish(bank.settings, bank.run())
    with duckdb.connect(str(bank.settings.warehouse), read_only=True) as warehouse:
        warehouse.execute("set TimeZone = 'UTC'")
        expected = warehouse.execute(
            "select * replace (last_login_at::varchar as last_login_at) from profile.customer_profile order by 1"
        ).fetchall()
    got = ask(PROFILE.replace("*", "*, last_login_at::text"))
    assert [(*row[:3], row[-1], *row[4:-1]) for row in got] == expected
    types = ask(
        "select attname, format_type(atttypid, atttypmod) from pg_attribute"
        " where attrelid = 'profile.customer_profile'::regclass and attnum > 0"
    )
    assert dict(types) == {
        "profile_id": "text",
        "version": "integer",
        "balance_amount": "numeric(18,2)",
        "last_login_at": "timestamp with time zone",
        "first_seen_date": "date",
        "is_active": "boolean",
        "nps_score": "double precision",
        "segment": "text",
    }
    assert publication.table_rows["profile.customer_profile"] == 50


def test_comments_key_and_index_come_from_the_manifest(bank: Bank, ask: Ask) -> None:
    """An analyst's tool shows what dbt says, and changed words arrive with the next publication."""
    publish(bank.settings, bank.run())
    comment = "select obj_description('profile.customer_profile'::regclass)"
    assert ask(comment) == [("One row per profile_id; it's a test.",)]
    assert ask("select col_description('profile.customer_profile'::regclass, 1)") == [("The profile_id",)]
    assert ask("select obj_description('pii.identifier_values'::regclass)")[0][0].startswith("What stands behind")
    indexes = ask("select indexdef from pg_indexes where schemaname = 'cx' order by 1")
    assert [d.split("USING ")[1] for (d,) in indexes] == ["btree (metric_date)", "btree (metric, metric_date)"]

    manifest = bank.settings.home / "dbt" / "target" / "manifest.json"
    manifest.write_text(manifest.read_text().replace("it's a test", "it is another"))
    publish(bank.settings, bank.run())
    assert ask(comment) == [("One row per profile_id; it is another.",)]


def test_the_ledger_says_what_a_publication_is_a_function_of(bank: Bank, ask: Ask) -> None:
    """All of the run is in ``ops.publications``, and the row is there for both roles to read."""
    publish(bank.settings, bank.run("run 1"))
    names = ", ".join(asdict(bank.run()))
    row = tuple(asdict(bank.run("run 1")).values())
    assert ask(f"select {names} from ops.publications", "cx360_bi") == [row]
    assert ask(f"select {names} from ops.publications", "cx360_ml") == [row]


def test_the_same_again_touches_nothing_but_the_ledger(bank: Bank, ask: Ask) -> None:
    """Not one row version changes when the content does not."""
    bank.deliver(("phone", "k1:phone:1", CANARY))
    bank.build()
    first = publish(bank.settings, bank.run())
    rows, places = everything(ask), ask(PLACES)
    bank.build()
    second = publish(bank.settings, bank.run())
    assert second.publication_id > first.publication_id
    assert second.parquet_path == first.parquet_path
    assert everything(ask) == rows
    assert ask(PLACES) == places


def test_only_rows_that_differ_are_touched(bank: Bank, ask: Ask) -> None:
    """Rows changed, gone and new; all others keep their place and version."""
    publish(bank.settings, bank.run())
    before = {row[0]: row for row in ask(PLACES)}
    bank.version, bank.customers = 2, 48
    bank.build()
    publish(bank.settings, bank.run())
    after = {row[0]: row for row in ask(PLACES)}
    changed = {f"p{i:06}" for i in (10, 20, 30, 40)}
    assert before.keys() - after.keys() == {"p000049", "p000050"}
    assert {key for key in after if after[key] != before[key]} == changed
    assert {row[0] for row in ask("select profile_id from profile.customer_profile where version = 2")} == changed
    bank.customers = 60
    bank.build()
    publish(bank.settings, bank.run())
    assert len(ask(PLACES)) == 60


def test_what_somebody_changed_by_hand_is_mended(bank: Bank, ask: Ask) -> None:
    """A table that does not hold what the last publication says is compared row by row."""
    publish(bank.settings, bank.run())
    rows = ask(PROFILE)
    ask("delete from profile.customer_profile where profile_id in ('p000010', 'p000011')")
    ask("insert into profile.customer_profile (profile_id, version) values ('p000051', 7)")
    bank.version = 2
    bank.build()
    publish(bank.settings, bank.run())
    assert len(ask(PROFILE)) == len(rows)
    bank.version = 1
    bank.build()
    publish(bank.settings, bank.run())
    assert ask(PROFILE) == rows


def test_files_that_are_lost_are_not_needed(bank: Bank, ask: Ask) -> None:
    """Without the last publication's files PostgreSQL itself is read; unchanged rows stay."""
    first = publish(bank.settings, bank.run())
    rows, places = ask(PROFILE), ask(PLACES)
    for file in (bank.settings.publications / first.parquet_path).iterdir():
        file.unlink()
    publish(bank.settings, bank.run())
    assert (ask(PROFILE), ask(PLACES)) == (rows, places)


def test_an_analysts_view_survives_ten_publications(bank: Bank, ask: Ask) -> None:
    """With its grants, while rows, comments and columns change."""
    publish(bank.settings, bank.run())
    ask(
        "create view analyst.rich as select profile_id, version, balance_amount from profile.customer_profile"
        " where balance_amount > 12",
        "cx360_bi",
    )
    ask("grant select on analyst.rich to cx360_ml; grant usage on schema analyst to cx360_ml")
    for version in range(2, 12):
        bank.version = version
        if version == 5:
            bank.profile_columns["loyalty_tier"] = "'gold'"
        bank.build()
        publish(bank.settings, bank.run())
        seen = ask("select max(version), count(*) from analyst.rich", "cx360_bi")
        assert seen == [(version, 41)]
    assert ask("select count(*) from analyst.rich", "cx360_ml") == [(41,)]
    assert ask("select distinct loyalty_tier from profile.customer_profile", "cx360_bi") == [("gold",)]


def test_readers_see_one_version_whole_and_never_wait(bank: Bank) -> None:
    """One snapshot over three tables is always of one publication; 50 ms of lock waiting never run out."""
    publish(bank.settings, bank.run())
    done = threading.Event()
    seen: list[tuple[int, ...]] = []
    failures: list[BaseException] = []

    def read() -> None:
        with psycopg.connect(postgres.dsn(bank.settings), autocommit=True) as connection:
            connection.execute("set lock_timeout = '50ms'")
            while not done.is_set():
                with connection.transaction():
                    connection.execute("set transaction isolation level repeatable read read only")
                    versions = [
                        connection.execute(f"select max(version) from {table}").fetchall()[0][0]
                        for table in (
                            "profile.customer_profile",
                            "cx.cx_metrics_daily",
                            "features.customer_features",
                        )
                    ]
                seen.append(tuple(versions))

    def guarded() -> None:
        try:
            read()
        except BaseException as e:
            failures.append(e)

    reader = threading.Thread(target=guarded)
    reader.start()
    try:
        for version in range(2, 8):
            bank.version = version
            if version == 4:
                bank.profile_columns["loyalty_tier"] = "'gold'"
            bank.build()
            publish(bank.settings, bank.run())
    finally:
        done.set()
        reader.join()
    assert not failures
    assert all(len(set(versions)) == 1 for versions in seen)
    assert len({versions[0] for versions in seen}) >= 3


def test_a_long_query_neither_dies_nor_delays(bank: Bank, ask: Ask) -> None:
    """A transaction that has read before a publication reads the same after it."""
    publish(bank.settings, bank.run())
    with psycopg.connect(postgres.dsn(bank.settings, "cx360_bi")) as connection:
        connection.execute("set transaction isolation level repeatable read")
        before = connection.execute(PROFILE).fetchall()
        bank.version = 2
        bank.build()
        publish(bank.settings, bank.run())
        assert connection.execute(PROFILE).fetchall() == before
    assert ask(PROFILE) != before


def test_no_reader_is_locked_out_within_the_transaction(bank: Bank) -> None:
    """Seen from outside just before the commit: no lock on a published table that a select would wait for."""
    publish(bank.settings, bank.run())
    bank.version = 2
    bank.build()
    with psycopg.connect(postgres.dsn(bank.settings), autocommit=True) as other:
        other.execute("begin")
        other.execute("lock table ops.publications in exclusive mode")  # holds the publication at its last step
        worker = threading.Thread(target=publish, args=(bank.settings, bank.run()))
        worker.start()
        locks: Rows = []
        with psycopg.connect(postgres.dsn(bank.settings), autocommit=True) as watch:
            while not watch.execute(
                "select from pg_locks where not granted and relation = 'ops.publications'::regclass"
            ).fetchall():
                assert worker.is_alive()
            locks = watch.execute(
                "select c.relname, l.mode from pg_locks l join pg_class c on c.oid = l.relation"
                " join pg_namespace n on n.oid = c.relnamespace"
                " where n.nspname in ('profile', 'cx', 'features') and c.relkind = 'r'"
            ).fetchall()
            blocked = watch.execute("select max(version) from profile.customer_profile").fetchall()
        other.execute("rollback")
        worker.join()
    assert ("customer_profile", "RowExclusiveLock") in locks
    assert "AccessExclusiveLock" not in {mode for _, mode in locks}
    assert blocked == [(1,)]


PUBLISHER = """
import json, sys
from datetime import date
from pathlib import Path
from cx360.publish import Run, publish
from cx360.settings import Settings
place, run = json.loads(sys.stdin.read())
publish(Settings(**place), Run(**{**run, "as_of": date.fromisoformat(run["as_of"])}))
"""


def start_publisher(bank: Bank) -> "subprocess.Popen[str]":
    """A process of its own that publishes the bank's candidate."""
    url = bank.settings.database_url
    place = {"home": str(bank.settings.home), "threads": 2, "database_url": url.get_secret_value() if url else None}
    process = subprocess.Popen(
        [sys.executable, "-c", PUBLISHER],
        stdin=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert process.stdin
    process.stdin.write(json.dumps([place, asdict(bank.run("killed"))], default=str))
    process.stdin.close()
    return process


def test_killed_before_the_commit_leaves_the_old_version(bank: Bank, ask: Ask) -> None:
    """Killed when all rows are in and only the ledger's is missing: nothing is seen, and the next one is right."""
    publish(bank.settings, bank.run())
    rows = everything(ask)
    link = (bank.settings.publications / "latest").readlink()
    bank.version, bank.customers = 2, 70
    bank.build()
    with psycopg.connect(postgres.dsn(bank.settings), autocommit=True) as other:
        other.execute("begin")
        other.execute("lock table ops.publications in exclusive mode")
        process = start_publisher(bank)
        with psycopg.connect(postgres.dsn(bank.settings), autocommit=True) as watch:
            waiting = "select from pg_locks where not granted and relation = 'ops.publications'::regclass"
            while not watch.execute(waiting).fetchall():
                assert process.poll() is None, "it ended before it could be killed"
        process.kill()
        assert process.wait() == -signal.SIGKILL
        other.execute("rollback")
    assert everything(ask) == rows
    assert ask("select count(*) from ops.publications") == [(1,)]
    assert (bank.settings.publications / "latest").readlink() == link
    publish(bank.settings, bank.run())
    assert ask("select count(*), max(version) from profile.customer_profile") == [(70, 2)]


def test_killed_after_the_commit_is_healed(bank: Bank, ask: Ask) -> None:
    """The link is pointed to what readers see, whatever it said."""
    first = publish(bank.settings, bank.run())
    bank.version = 2
    bank.build()
    second = publish(bank.settings, bank.run())
    link = bank.settings.publications / "latest"
    assert str(link.readlink()) == second.parquet_path
    link.unlink()
    link.symlink_to(first.parquet_path)
    heal(bank.settings)
    assert str(link.readlink()) == second.parquet_path


def test_parquet_holds_the_same_and_nothing_personal(bank: Bank, ask: Ask) -> None:
    """``latest`` is what PostgreSQL holds, in key order; restricted values are only below the lake's ``pii``."""
    bank.deliver(("phone", "k1:phone:1", CANARY))
    bank.build()
    publish(bank.settings, bank.run())
    latest = bank.settings.publications / "latest"
    file = latest / "profile.customer_profile.parquet"
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        rows = connection.execute(f"select profile_id, balance_amount from read_parquet('{file}')").fetchall()
    assert rows == ask("select profile_id, balance_amount from profile.customer_profile order by 1")
    found = [path for path in bank.settings.home.rglob("*") if path.is_file() and "Quackenbush" in _text(path)]
    assert found
    assert all(path.is_relative_to(bank.settings.lake / "pii") for path in found)


def _text(path: Path) -> str:
    if path.suffix == ".parquet":
        with duckdb.connect() as connection:
            return str(connection.execute(f"select * from read_parquet('{path}')").fetchall())
    return path.read_bytes().decode(errors="replace")


def test_a_token_has_all_its_spellings(bank: Bank, ask: Ask) -> None:
    """Repeats over deliveries are one row; a delivery the candidate does not know is not in it."""
    bank.deliver(("phone", "k1:phone:1", "030 1"), ("phone", "k1:phone:1", "+49 30 1"), ("name", "k1:name:2", "A\0B"))
    bank.deliver(("phone", "k1:phone:1", "030 1"))
    bank.build()
    bank.deliver(("phone", "k1:phone:9", "late"))
    publish(bank.settings, bank.run())
    assert ask("select token, semantic_type, value from pii.identifier_values order by 1, 3") == [
        ("k1:name:2", "name", "AB"),
        ("k1:phone:1", "phone", "+49 30 1"),
        ("k1:phone:1", "phone", "030 1"),
    ]


def change_type(bank: Bank) -> None:
    """A decimal gets wider."""
    bank.profile_columns["balance_amount"] = "(i * 1.25)::decimal(20, 2)"


def remove_column(bank: Bank) -> None:
    """A column goes."""
    del bank.profile_columns["segment"]


def repeat_key(bank: Bank) -> None:
    """Two rows have one key."""
    bank.profile_columns["profile_id"] = "'p' || i // 2"


def lose_key(bank: Bank) -> None:
    """A row has no key."""
    bank.profile_columns["profile_id"] = "nullif('p' || i, 'p7')"


def drop_table(bank: Bank) -> None:
    """A table is no longer public."""
    bank.without = ("cx.cx_metrics_daily",)


def strange_type(bank: Bank) -> None:
    """A column has a type PostgreSQL lacks."""
    bank.profile_columns["odd"] = "i::hugeint"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            change_type,
            r"balance_amount was published as numeric\(18,2\).* alter column balance_amount type numeric\(20,2\)",
        ),
        (remove_column, "segment was published and is gone.*drop column segment"),
        (repeat_key, "not one row per profile_id: of 50 rows 0 lack .* 24 repeat one"),
        (lose_key, "not one row per profile_id: of 50 rows 1 lack"),
        (drop_table, "cx.cx_metrics_daily was published and is not in the candidate.*drop table"),
        (strange_type, "column odd is HUGEINT: cast it in its model"),
    ],
)
def test_what_cannot_be_published_is_refused(bank: Bank, ask: Ask, change: Callable[[Bank], None], says: str) -> None:
    """With a message that says what to do; readers keep what they have."""
    publish(bank.settings, bank.run())
    rows = everything(ask)
    bank.version = 2
    change(bank)
    bank.build()
    with pytest.raises(SyncError, match=says):
        publish(bank.settings, bank.run())
    assert everything(ask) == rows


def test_an_administrators_decision_lets_a_change_through(bank: Bank, ask: Ask) -> None:
    """The statements the refusals name do what they promise."""
    publish(bank.settings, bank.run())
    remove_column(bank)
    change_type(bank)
    drop_table(bank)
    bank.build()
    ask("alter table profile.customer_profile drop column segment")
    ask("alter table profile.customer_profile alter column balance_amount type numeric(20,2)")
    ask("drop table cx.cx_metrics_daily")
    publish(bank.settings, bank.run())
    assert ask("select count(*), sum(balance_amount)::text from profile.customer_profile") == [(50, "1593.75")]


def test_rollback_shows_an_earlier_publication_again(bank: Bank, ask: Ask) -> None:
    """Rows as they were, as a new row of the ledger; the next publication goes on from there."""
    first = publish(bank.settings, bank.run())
    rows = ask(PROFILE)
    bank.version, bank.profile_columns = 2, {**bank.profile_columns, "loyalty_tier": "'gold'"}
    bank.build()
    publish(bank.settings, bank.run())
    back = rollback(bank.settings, first.publication_id)
    assert (back.parquet_path, back.as_of) == (first.parquet_path, first.as_of)
    assert [row[:-1] for row in ask(PROFILE)] == rows
    assert {row[-1] for row in ask(PROFILE)} == {None}
    publish(bank.settings, bank.run())
    assert ask("select max(version), max(loyalty_tier) from profile.customer_profile") == [(2, "gold")]


def test_files_of_the_last_publications_are_kept(bank: Bank) -> None:
    """Seven of them, and an unchanged table takes no room of its own."""
    for version in range(KEPT + 2):
        bank.version = version
        bank.build()
        last = publish(bank.settings, bank.run())
    folders = sorted(p.name for p in bank.settings.publications.iterdir() if not p.is_symlink())
    with ledger.session(bank.settings) as session:
        named = [p.parquet_path for p in session.query(ledger.Publication).order_by(ledger.Publication.publication_id)]
    assert folders == sorted(named[-KEPT:])
    assert str((bank.settings.publications / "latest").readlink()) == last.parquet_path
    private = bank.settings.lake / "pii" / "publications"
    assert sorted(p.name for p in private.iterdir()) == folders
    assert (private / last.parquet_path / "pii.identifier_values.parquet").stat().st_nlink == KEPT


def metric_files(bank: Bank) -> dict[str, Path]:
    """Files of the newest publication's metrics, by day."""
    return {file.stem: file for file in (bank.settings.publications / "latest" / METRICS).iterdir()}


METRICS = "cx.cx_metrics_daily.parquet"


def test_a_table_by_day_writes_and_applies_only_days_that_changed(bank: Bank, ask: Ask) -> None:
    """The others are links to the files of the publication before; readers see the same rows either way."""
    bank.metrics_by_day = "metric_date"
    bank.build()
    first = publish(bank.settings, bank.run())
    before = {day: file.stat().st_ino for day, file in metric_files(bank).items()}
    assert len(before) == 20
    bank.version, bank.metric_version = 2, "case when i < 2 then {version} else 1 end"
    bank.build()
    publish(bank.settings, bank.run())
    after = {day: file.stat().st_ino for day, file in metric_files(bank).items()}
    assert {day for day in after if after[day] != before[day]} == {"2024-03-01", "2024-03-02"}
    metrics = "select metric_date, version from cx.cx_metrics_daily order by 1"
    with duckdb.connect() as connection:
        files = bank.settings.publications / "latest" / METRICS / "*.parquet"
        assert connection.execute(f"select metric_date, version from '{files}' order by 1").fetchall() == ask(metrics)
    assert [version for _, version in ask(metrics)] == [2, 2, *[1] * 18]
    rollback(bank.settings, first.publication_id)
    assert {version for _, version in ask(metrics)} == {1}


@pytest.mark.parametrize(
    ("row", "says"),
    [("'nps', date '2024-03-05', 2", "of 2 rows 0 lack .* 1 repeat"), ("'nps', null, 1", "of 1 rows 1 lack")],
)
def test_a_day_that_changed_is_looked_at_for_its_key(bank: Bank, row: str, says: str) -> None:
    """Alone: the other days were when they were published."""
    bank.metrics_by_day = "metric_date"
    bank.build()
    publish(bank.settings, bank.run())
    with duckdb.connect(str(bank.settings.warehouse)) as db:
        db.execute(f"insert into cx.cx_metrics_daily values ({row})")
    with pytest.raises(SyncError, match=f"not one row per metric, metric_date: {says}"):
        publish(bank.settings, bank.run())


def test_days_that_came_and_went_do_so_for_readers(bank: Bank, ask: Ask) -> None:
    """Also all of them: a table without rows has no files."""
    bank.metrics_by_day = "metric_date"
    for version, days in ((1, 20), (2, 0), (3, 20)):
        bank.version, bank.metric_count = version, days
        bank.build()
        publish(bank.settings, bank.run())
        assert ask("select count(*) from cx.cx_metrics_daily") == [(days,)]
        assert len(metric_files(bank)) == days


@pytest.mark.parametrize(
    ("metric", "says"),
    [
        ("case when i = 3 then 'nps7' else 'nps' || i end", "of 2 rows 0 lack a part of the key and 1 repeat one"),
        ("nullif('nps' || i, 'nps3')", "of 1 rows 1 lack a part of the key and 0 repeat one"),
        ("'nps' || i // 2", "of 20 rows 0 lack a part of the key and 10 repeat one"),
    ],
    ids=["of another day that is settled", "missing", "of days that all changed"],
)
def test_a_key_of_a_day_that_changed_is_refused_where_another_has_it(bank: Bank, metric: str, says: str) -> None:
    """Days that are as they were published are not looked at again but for that."""
    bank.metrics_by_day, bank.metrics_grain, bank.metric = "metric_date", ("metric",), "'nps' || i"
    bank.metric_version = "1"
    bank.build()
    publish(bank.settings, bank.run())
    bank.metric = metric
    bank.build()
    with pytest.raises(SyncError, match=f"cx_metrics_daily is not one row per metric: {says}"):
        publish(bank.settings, bank.run())


def test_a_table_of_one_file_becomes_one_by_day(bank: Bank, ask: Ask) -> None:
    """Also where the file is described as it was before tables had parts; told days stay told."""
    first = publish(bank.settings, bank.run())
    described = bank.settings.publications / first.parquet_path / "tables.json"
    tables = json.loads(described.read_text())
    for table in tables:
        (part,) = table.pop("parts")
        table |= {"rows": part["rows"], "content_hash": part["content_hash"]}
        del table["by_day"], table["is_kept"]
    described.write_text(json.dumps(tables))
    places = ask(PLACES)
    bank.metrics_by_day = "metric_date"
    assert features(bank, ask, day=2, version=2) == {1: {1}, 2: {2}}
    assert ask("select count(*), min(version) from cx.cx_metrics_daily") == [(20, 2)]
    assert len(set(places) & set(ask(PLACES))) == 45  # of 50 profiles, those that did not change


def test_two_publishers_take_turns(bank: Bank, ask: Ask) -> None:
    """Both end well, and what readers see is the last row's."""
    publish(bank.settings, bank.run())
    bank.version = 2
    bank.build()
    errors: list[Any] = []

    def guarded() -> None:
        try:
            publish(bank.settings, bank.run())
        except BaseException as e:
            errors.append(e)

    threads = [threading.Thread(target=guarded) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert ask("select count(*) from ops.publications") == [(3,)]
    assert ask("select max(version) from profile.customer_profile") == [(2,)]


def features(bank: Bank, ask: Ask, day: int, version: int) -> dict[int, set[int]]:
    """Publish a candidate of that day; the versions readers then see by day."""
    bank.day, bank.version, bank.features_kept_by = date(2024, 3, day), version, "as_of_date"
    bank.build()
    publish(bank.settings, bank.run())
    seen: dict[int, set[int]] = {}
    for told, what in ask("select extract(day from as_of_date)::int, version from features.customer_features"):
        seen.setdefault(told, set()).add(what)
    return seen


def test_what_was_told_of_earlier_days_stays(bank: Bank, ask: Ask) -> None:
    """A model that learns from a past day must find what was known then, whatever is built later."""
    assert features(bank, ask, day=1, version=1) == {1: {1}}
    assert features(bank, ask, day=2, version=2) == {1: {1}, 2: {2}}
    assert features(bank, ask, day=2, version=3) == {1: {1}, 2: {3}}, "the newest day is open"
    assert features(bank, ask, day=1, version=4) == {1: {1}, 2: {3}}, "an earlier one is closed"
    assert features(bank, ask, day=4, version=5) == {1: {1}, 2: {3}, 4: {5}}
    assert features(bank, ask, day=3, version=6) == {1: {1}, 2: {3}, 3: {6}, 4: {5}}, "a day never told is told"


def test_without_the_files_of_the_days_before_nothing_is_published(bank: Bank, ask: Ask) -> None:
    features(bank, ask, day=1, version=1)
    shutil.rmtree(bank.settings.publications)
    with pytest.raises(SyncError, match="bring back"):
        features(bank, ask, day=2, version=2)
    assert ask("select distinct version from features.customer_features") == [(1,)]
