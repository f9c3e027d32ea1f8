"""The main job on a small synthetic bank: the same answers however the files come, and nothing lost on the way."""

import csv
import gzip
import hashlib
import heapq
import io
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from pydantic import SecretStr
from sqlalchemy import text

from cx360 import ledger, pipeline, sample, sources
from cx360.settings import Settings

PUBLIC = (
    "profile.customer_profile",
    "profile.profile_attributes",
    "profile.customer_identifiers",
    "profile.profile_ids",
    "profile.profile_columns",
    "profile.customer_timeline",
    "cx.cx_metrics_daily",
    "cx.cx_metrics_rolling",
    "cx.agent_handling",
    "cx.cx_metric_moves",
    "cx.cx_drivers",
    "cx.cx_alerts",
    "cx.cx_benchmark_gaps",
    "cx.cx_issue_priority",
    "features.customer_features",
)

#: Of so small a bank no figure is reliable enough to be compared or to alarm anybody.
QUIET = {"cx.cx_alerts", "cx.cx_benchmark_gaps"}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Deliveries and truth of a small bank."""
    out = tmp_path_factory.mktemp("bank")
    sample.generate(customers=150, days=40, seed=7, out=out)
    return out


@pytest.fixture(scope="module")
def made(files: Path, new_home: Callable[[str], Settings]) -> Settings:
    """The bank built as a user sees it: history as one range, then three days one by one."""
    home = open_bank(new_home("day_by_day"), files / "inbox")
    *_, history, first, second, third = sources.delivery_days(home)
    for day in (history, first, second, third):
        pipeline.run_all(home, pipeline.Run(run_id=f"day {day}", until=day, as_of=day))
    return home


def open_bank(home: Settings, inbox: Path) -> Settings:
    """A home that reads the synthetic bank from that inbox, with the keys every home of these tests has."""
    (home.home / "keys").mkdir(parents=True, exist_ok=True)
    (home.home / "keys" / "identity").write_text("identity key of the tests")
    return home.model_copy(update={"inbox": inbox, "token_key": SecretStr("token key of the tests")})


def published(home: Settings, last_day_only: bool = False) -> dict[str, list[tuple[Any, ...]]]:
    """Rows of every public table in PostgreSQL, in key order; features of all days told, or of the last."""
    rows = {}
    with ledger.session(home) as session:
        for table in PUBLIC:
            last = "where as_of_date = (select max(as_of) from ops.publications)"
            last = last if "features" in table and last_day_only else ""
            found = session.execute(text(f"select t::text from {table} as t {last} order by 1")).fetchall()
            rows[table] = [tuple(row) for row in found]
    return rows


def lake_bytes(home: Settings) -> dict[str, str]:
    """Hashes of what landing wrote; the restricted files of publications come and go with them."""
    files = {p.relative_to(home.lake).as_posix(): p for p in sorted(home.lake.rglob("*")) if p.is_file()}
    return {
        name: hashlib.sha256(path.read_bytes()).hexdigest()
        for name, path in files.items()
        if not name.startswith("pii/publications/")
    }


def test_every_table_is_published_with_rows(made: Settings) -> None:
    assert {table for table, rows in published(made).items() if not rows} == QUIET


def test_every_column_of_the_profile_tells_what_it_rests_on(made: Settings) -> None:
    """In the order of the table, with the feeds that came; this bank has all of them, from one system."""
    with ledger.session(made) as session:
        columns = session.scalars(
            text(
                "select column_name from information_schema.columns"
                " where table_schema = 'profile' and table_name = 'customer_profile' order by ordinal_position"
            )
        ).all()
        told = session.execute(
            text(
                "select column_name, feeds, delivered_feeds, source_systems"
                " from profile.profile_columns order by column_number"
            )
        ).all()
        systems = session.scalars(text("select distinct source from ops.deliveries")).all()
    assert [row.column_name for row in told] == list(columns)
    assert all(row.delivered_feeds == row.feeds for row in told)
    assert {row.source_systems for row in told if row.feeds} == set(systems)
    assert {row.column_name for row in told if row.source_systems is None} == {"currency"}


def test_what_became_of_each_model_is_kept(made: Settings) -> None:
    """Rows, time and tests of every model and seed, for each run; a table's rows are those it had then."""
    with ledger.session(made) as session:
        found = session.execute(
            text(
                "select run_id, node, row_count, seconds from ops.dbt_results"
                " where resource_type in ('model', 'seed') and status = 'success' order by dbt_result_id"
            )
        ).all()
        last, rows = session.execute(
            text("select run_id, table_rows from ops.publications order by publication_id desc limit 1")
        ).one()
    built = json.loads((made.home / "dbt" / "target" / "manifest.json").read_text())["nodes"].values()
    names = {node["name"] for node in built if node["resource_type"] in ("model", "seed")}
    by_run: dict[str, dict[str, int | None]] = {}
    for run_id, node, count, seconds in found:
        by_run.setdefault(run_id, {})[node] = count
        assert seconds >= 0
    assert len(by_run) == 4
    assert all(set(run) == names for run in by_run.values())
    for table in ("profile.customer_profile", "cx.cx_metrics_daily"):
        assert by_run[last][table.split(".")[1]] == rows[table]


def test_another_order_and_other_deliveries_publish_the_same_rows(
    made: Settings, files: Path, new_home: Callable[[str], Settings], tmp_path: Path
) -> None:
    """Files are cut in two and renamed so that they arrive in the opposite order, all in one range run."""
    cut = split_and_turn_round(files / "inbox", tmp_path / "inbox")
    assert cut > 10
    other = open_bank(new_home("other_order"), tmp_path / "inbox")
    last = sources.delivery_days(other)[-1]
    pipeline.run_all(other, pipeline.Run(run_id="range", as_of=last))
    mine, theirs = published(made, last_day_only=True), published(other, last_day_only=True)
    for table in PUBLIC:
        assert theirs[table] == mine[table], table


def split_and_turn_round(inbox: Path, out: Path) -> int:
    """Copy an inbox so that event and change files come in two parts, named to sort the other way round.

    Snapshots stay whole: a part of a snapshot is another snapshot. Returns how many files were cut.
    """
    cut = 0
    for path in sorted(p for p in inbox.rglob("*") if p.is_file() and p.suffix != ".ctl"):
        folder = out / path.parent.name
        folder.mkdir(parents=True, exist_ok=True)
        parts = [] if path.name.startswith(("account_parties", "holdings")) else halves(path)
        if not parts:
            shutil.copy(path, folder)
            for control in path.parent.glob(f"{path.name}.ctl"):
                shutil.copy(control, folder)
            continue
        cut += 1
        feed = path.name[: path.name.index("_2")]
        turned = hashlib.sha256(path.name.encode()).hexdigest()[:8]
        ending = "".join(path.suffixes)
        for number, (data, rows) in enumerate(parts):
            (folder / f"{feed}_{turned}_{1 - number}{ending}").write_bytes(data)
            (folder / f"{feed}_{turned}_{1 - number}{ending}.ctl").write_text(json.dumps({"rows": rows}))
    return cut


def halves(path: Path) -> list[tuple[bytes, int]]:
    """The two halves of a text file with their numbers of records, header in both; [] where it cannot be cut."""
    data, pack = unpack(path)
    lines = data.splitlines(keepends=True)
    header = [] if ".jsonl" in path.name else lines[:1]
    body = lines[len(header) :]
    quotes, places = 0, []
    for number, line in enumerate(body):
        if quotes % 2 == 0 and number >= len(body) / 4:
            places.append(number)
        quotes += line.count(b'"') if header else 0
    if len(body) < 4 or not places or b"\n".join(body).count(b'"') % 2:
        return []
    parts = [b"".join(header + body[: places[0]]), b"".join(header + body[places[0] :])]
    return [(pack(part), records(part, bool(header))) for part in parts]


def unpack(path: Path) -> tuple[bytes, Callable[[bytes], bytes]]:
    if path.suffix == ".gz":
        return gzip.decompress(path.read_bytes()), lambda part: gzip.compress(part, mtime=0)
    if path.suffix == ".zst":
        with pa.CompressedInputStream(pa.OSFile(str(path)), "zstd") as source:
            return source.read(), lambda part: pa.Codec("zstd").compress(part).to_pybytes()
    return path.read_bytes(), lambda part: part


def records(part: bytes, has_header: bool) -> int:
    """Records of a CSV or JSON Lines text, counted by the standard library."""
    if not has_header:
        return sum(1 for line in part.splitlines() if line.strip())
    readable = io.StringIO(part.decode("utf-8-sig" if is_utf8(part) else "latin-1"), newline="")
    return sum(1 for row in csv.reader(readable, delimiter=";" if b";" in part.splitlines()[0] else ",") if row) - 1


def is_utf8(part: bytes) -> bool:
    try:
        part.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def test_a_past_day_is_told_as_it_was_then_and_the_last_one_again_as_before(made: Settings) -> None:
    """A past day sees nothing of what came after; no second run changes a byte of the lake or a published row."""
    lake, rows = lake_bytes(made), published(made)
    *_, first, _, last = sources.delivery_days(made)
    with ledger.session(made) as session:
        then = session.execute(
            text("select known_at, parquet_path from ops.publications where as_of = :day order by publication_id"),
            {"day": first},
        ).first()
    assert then is not None
    before = parquet_rows(made, then.parquet_path)
    pipeline.run_all(made, pipeline.Run(run_id="past", until=first, as_of=first, known_at=then.known_at))
    with ledger.session(made) as session:
        now = session.execute(text("select parquet_path from ops.publications order by publication_id desc")).first()
    assert now is not None
    after = parquet_rows(made, now.parquet_path)
    for table in PUBLIC[:4]:
        assert after[table] == before[table], table
    summaries = pipeline.run_all(made, pipeline.Run(run_id="again", until=last, as_of=last))
    assert sum(found.get("deliveries", 0) for name, found in summaries.items() if name.startswith("land ")) == 0
    assert lake_bytes(made) == lake
    assert published(made) == rows


def parquet_rows(home: Settings, place: str) -> dict[str, list[tuple[Any, ...]]]:
    folder = home.publications / Path(place).name
    return {
        table: duckdb.sql(f"select * from read_parquet('{folder / table}.parquet') order by all").fetchall()
        for table in PUBLIC[:4]
    }


KILLED = """
import os, signal
from datetime import date
from cx360 import pipeline, warehouse
from cx360.settings import Settings

whole = warehouse.dbt

def half(*told, select=None, exclude=None):
    if exclude is None:
        return whole(*told, select=select)
    whole(*told, select="path:models/daily path:models/cx")
    os.kill(os.getpid(), signal.SIGKILL)

warehouse.dbt = half
day = date.fromisoformat({day!r})
pipeline.run_all(Settings(), pipeline.Run(run_id="killed", until=day, as_of=day))
"""


def test_killed_in_the_middle_of_a_build_it_ends_with_the_same_rows(
    made: Settings, files: Path, new_home: Callable[[str], Settings]
) -> None:
    other = open_bank(new_home("killed"), files / "inbox")
    *_, history, first, _, third = sources.delivery_days(other)
    pipeline.run_all(other, pipeline.Run(run_id="history", until=history, as_of=history))
    before = published(other)
    assert other.database_url and other.token_key
    environment = os.environ | {
        "CX360_HOME": str(other.home),
        "CX360_INBOX": str(other.inbox),
        "CX360_DATABASE_URL": other.database_url.get_secret_value(),
        "CX360_TOKEN_KEY": other.token_key.get_secret_value(),
        "CX360_MEMORY_LIMIT": other.memory_limit,
    }
    script = KILLED.format(day=str(first))
    died = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, check=False)
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()
    assert published(other) == before, "what was half built is nowhere to be seen"
    # nobody runs the killed day again; the next run takes up what it left
    pipeline.run_all(other, pipeline.Run(run_id="the last day", until=third, as_of=third))
    mine, theirs = published(made, last_day_only=True), published(other, last_day_only=True)
    for table in PUBLIC:
        assert theirs[table] == mine[table], table


def test_money_in_is_money_in_profiles_and_unattributed(made: Settings) -> None:
    """From the lake's files to the published rows, per currency."""
    with duckdb.connect(str(made.warehouse), read_only=True) as db:
        accepted = dict(
            db.sql(
                "select currency, sum(case direction when 'credit' then amount else -amount end) from ("
                " select *, row_number() over (partition by transaction_id order by version_number desc nulls last,"
                " arrival_number desc, content_hash desc) as place from raw.transactions)"
                " where place = 1 and status = 'booked' group by currency"
            ).fetchall()
        )
        attributed = dict(
            db.sql(
                "select currency, sum(credit_amount - debit_amount) from daily.int_money__daily group by 1"
            ).fetchall()
        )
    assert accepted == attributed
    assert accepted


def test_points_left_are_what_a_queue_of_each_party_leaves(made: Settings) -> None:
    """Entry by entry: gained points queue up by the day they expire, used ones leave at its head."""
    with duckdb.connect(str(made.warehouse), read_only=True) as db:
        ((as_of,),) = db.sql("select as_of from raw.run").fetchall()
        entries = db.sql(
            "select distinct on (entry_id) party_id, booked_date, points, expires_date from raw.points_entries"
            " where booked_date <= (select as_of from raw.run)"
        ).fetchall()
        told = db.sql("select party_id, expires_date, left_count from profile.int_points__left").fetchall()
    queues: dict[str, list[tuple[date, int]]] = {}
    for party, _, points, expires in sorted(entries, key=lambda entry: (entry[1], entry[2] < 0)):
        queue = queues.setdefault(party, [])
        if points > 0:
            heapq.heappush(queue, (_last_day(expires, as_of), points))
        while points < 0:
            expires, held = heapq.heappop(queue)
            if held + points > 0:
                heapq.heappush(queue, (expires, held + points))
            points = min(points + held, 0)
    left: dict[tuple[str, date], int] = {}
    for party, queue in queues.items():
        for expires, points in queue:
            left[party, expires] = left.get((party, expires), 0) + points
    assert {(party, expires): points for party, expires, points in told} == left
    assert len({expires for _, expires in left}) > 10


def _last_day(expires: date | None, as_of: date) -> date:
    """Points that should have expired come before all others."""
    return date.max if expires is None else expires if expires > as_of else date.min


def test_quarantine_holds_exactly_what_was_planted(made: Settings, files: Path) -> None:
    planted: dict[str, dict[str, int]] = {}
    for dirt in json.loads((files / "truth" / "dirt.json").read_text())["files"].values():
        for reason, count in dirt["bad"].items():
            of_feed = planted.setdefault(dirt["feed"], {})
            of_feed[reason] = of_feed.get(reason, 0) + count
    with ledger.session(made) as session:
        found: dict[str, dict[str, int]] = {}
        for feed, reason, count in session.execute(
            text(
                "select feed, reason, sum(row_count)::int"
                " from ops.quarantine join ops.deliveries using (arrival_number) group by 1, 2"
            )
        ):
            found.setdefault(feed, {})[reason] = count
    assert found == planted


def test_no_personal_value_is_anywhere_outside_pii(made: Settings, files: Path) -> None:
    """Names, numbers and addresses of real rows are searched for in everything else the runs left behind."""
    inside = made.lake / "pii" / "identifiers"
    with duckdb.connect() as db:
        canaries = [
            row[0].encode()
            for row in db.sql(
                f"select distinct value from read_parquet('{inside}/*/*.parquet')"
                " where semantic_type in ('email', 'name', 'phone', 'document') and length(value) >= 10 order by 1"
            ).fetchall()
        ]
    assert len(canaries) > 200
    outside = [
        p
        for p in made.home.rglob("*")
        if p.is_file() and not {"pii", "postgres", "keys"} & set(p.relative_to(made.home).parts)
    ]
    assert any(p.suffix == ".duckdb" for p in outside) and any("dbt" in p.parts for p in outside)
    haystack = b"\0".join(p.read_bytes() for p in outside)
    with ledger.session(made) as session:
        for schema in ("profile", "cx", "features", "ops"):
            for (table,) in session.execute(
                text("select table_name from information_schema.tables where table_schema = :s"), {"s": schema}
            ).fetchall():
                rows = session.execute(text(f"select t::text from {schema}.{table} as t")).fetchall()
                haystack += "\n".join(row[0] for row in rows).encode()
    assert [len(c) for c in canaries if c in haystack] == []


def test_a_feed_other_than_parties_may_be_missing(
    files: Path, new_home: Callable[[str], Settings], tmp_path: Path
) -> None:
    for path in (files / "inbox").rglob("parties_*"):
        (tmp_path / path.parent.name).mkdir(exist_ok=True)
        shutil.copy(path, tmp_path / path.parent.name)
    lonely = open_bank(new_home("parties_only"), tmp_path)
    pipeline.run_all(lonely, pipeline.Run(run_id="alone", as_of=date(2026, 3, 31)))
    rows = published(lonely)
    assert len(rows["profile.customer_profile"]) > 100
    assert rows["cx.cx_metrics_daily"] == []
