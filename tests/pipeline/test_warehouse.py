"""The warehouse: what a run sees, and which days it computes anew."""

import shutil
import subprocess
import sys
from contextlib import suppress
from datetime import date

import duckdb
import pytest
from pydantic import SecretStr

from cx360 import gates, landing, ledger, manifest, pipeline, visibility, warehouse
from cx360.engines import duckdb as duckdb_engine
from cx360.settings import Settings
from tests.pipeline.bank import deliver, settle, transactions

MONDAY = "t1;a1;02.03.2026;1,00;EUR;C;fee;\nt2;a1;02.03.2026;2,00;EUR;C;fee;\n"
TUESDAY = "t3;a1;03.03.2026;3,00;EUR;C;fee;\n"


@pytest.fixture
def bank(settings: Settings) -> Settings:
    return settle(settings)


def arrive(bank: Settings, name: str, rows: str, day: str = "2026-03-04") -> None:
    deliver(bank, name, transactions(rows), day)
    landing.land(bank, "transactions")
    with suppress(gates.GateFailed):
        gates.check_deliveries(bank, "transactions", "test")


def scope(bank: Settings, known_at: int | None = None) -> list[str]:
    """Days of transactions a run opened now computes anew."""
    warehouse.open_run(bank, "test", date(2026, 3, 4), known_at)
    with duckdb_engine.connect(bank) as db:
        days = "select distinct business_date from raw.run_scope where feed = 'transactions' order by 1"
        rows = db.sql(days).fetchall()
    return [row[0].strftime("%d") for row in rows]


def test_a_first_run_computes_everything(bank: Settings) -> None:
    arrive(bank, "tx1.csv", MONDAY)
    told = warehouse.open_run(bank, "test", None, None)
    assert told["days_to_compute"] == "all"
    assert told["as_of"] == "2026-03-02"
    assert told["last_business_dates"] == {"transactions": "2026-03-02"}


def test_without_a_master_nothing_is_built(bank: Settings) -> None:
    arrive(bank, "tx1.csv", MONDAY)
    with pytest.raises(warehouse.NothingToBuild, match="no delivery of parties may be read"):
        pipeline.open_warehouse(bank, pipeline.Run("test", as_of=date(2026, 3, 2)))


def test_a_run_computes_the_days_its_deliveries_bring(bank: Settings) -> None:
    arrive(bank, "tx1.csv", MONDAY)
    scope(bank)
    warehouse.settle(bank)
    assert scope(bank) == []
    arrive(bank, "tx2.csv", TUESDAY)
    assert scope(bank) == ["03"]


def test_a_correction_computes_the_day_it_takes_the_row_from_too(bank: Settings) -> None:
    arrive(bank, "tx1.csv", MONDAY)
    scope(bank)
    warehouse.settle(bank)
    arrive(bank, "tx2.csv", MONDAY.splitlines()[0].replace("02.03.", "04.03.") + "\n")
    assert scope(bank) == ["02", "04"]


def test_the_scope_names_keys_and_every_day_and_account_a_version_is_of(bank: Settings) -> None:
    arrive(bank, "tx1.csv", MONDAY)
    scope(bank)
    warehouse.settle(bank)
    correction = MONDAY.splitlines()[0].replace("02.03.", "04.03.").replace("a1", "a2")
    arrive(bank, "tx2.csv", correction + "\nt0;a3;02.03.2026;1,00;EUR;C;fee;\n")
    scope(bank)
    with duckdb_engine.connect(bank) as db:
        rows = db.sql("select event_key, day(business_date), account_id from raw.run_scope order by all").fetchall()
    assert rows == [("t0", 2, "a3"), ("t1", 2, "a1"), ("t1", 4, "a2")], "nothing of t2, which is of that day too"


def test_what_a_blocked_candidate_held_is_taken_up_by_the_next_run(bank: Settings) -> None:
    arrive(bank, "tx1.csv", MONDAY)
    scope(bank)
    warehouse.settle(bank)
    arrive(bank, "tx2.csv", TUESDAY)
    scope(bank)  # built, but the gate of the candidate does not open
    arrive(bank, "tx3.csv", "t4;a1;01.03.2026;1,00;EUR;C;fee;\n")
    assert scope(bank) == ["01", "03"]


def test_an_earlier_known_at_withdraws_what_came_later(bank: Settings) -> None:
    arrive(bank, "tx1.csv", MONDAY)
    with ledger.session(bank) as session:
        first = visibility.visible_arrivals(session, bank, None)[-1]
    arrive(bank, "tx2.csv", TUESDAY)
    scope(bank)
    warehouse.settle(bank)
    assert scope(bank, known_at=first) == ["03"]
    with duckdb_engine.connect(bank) as db:
        assert db.sql("select count(*) from raw.transactions").fetchall() == [(2,)]


def test_another_time_zone_computes_everything(bank: Settings) -> None:
    arrive(bank, "tx1.csv", MONDAY)
    scope(bank)
    warehouse.settle(bank)
    elsewhere = bank.model_copy(update={"timezone": "Asia/Shanghai"})
    assert warehouse.open_run(elsewhere, "test", date(2026, 3, 4), None)["days_to_compute"] == "all"


def test_a_blocked_delivery_is_not_seen_until_a_decision_releases_it(bank: Settings) -> None:
    arrive(bank, "tx1.csv", MONDAY)
    bad = "t9;a1;never;1,00;EUR;C;fee;\n"
    arrive(bank, "tx2.csv", TUESDAY + bad * 3)  # more than a fifth quarantined
    scope(bank)
    with duckdb_engine.connect(bank) as db:
        assert db.sql("select count(*) from raw.transactions").fetchall() == [(2,)]
    with ledger.session(bank) as session:
        arrival = max(d.arrival_number for d in session.query(ledger.Delivery))
        decision = manifest.decide(session, "release", arrival, "known dirt of a migration", "anna").decision_number
    scope(bank)
    with duckdb_engine.connect(bank) as db:
        assert db.sql("select count(*) from raw.transactions").fetchall() == [(3,)]
    scope(bank, known_at=decision - 1)
    with duckdb_engine.connect(bank) as db:
        assert db.sql("select count(*) from raw.transactions").fetchall() == [(2,)], "what was known before stays"


def test_a_feed_that_never_came_is_an_empty_typed_view(bank: Settings) -> None:
    arrive(bank, "tx1.csv", MONDAY)
    scope(bank)
    with duckdb_engine.connect(bank) as db:
        assert db.sql("select count(*), count(party_id) from raw.parties").fetchall() == [(0, 0)]
        types = dict(db.sql("select column_name, column_type from (describe raw.fx_rates)").fetchall())
    assert types["rate"] == "DECIMAL(18,8)"


def test_nothing_to_build_for_says_so(bank: Settings) -> None:
    with pytest.raises(warehouse.NothingToBuild, match="no delivery has passed its gate"):
        warehouse.open_run(bank, "test", None, None)


def test_nothing_is_published_that_did_not_pass_its_gate_since_it_was_built(bank: Settings) -> None:
    arrive(bank, "tx1.csv", MONDAY)
    run = pipeline.Run(run_id="by hand", as_of=date(2026, 3, 4))
    scope(bank)
    with pytest.raises(warehouse.NotAudited):
        pipeline.publish(bank, run)
    warehouse.mark_audited(bank)
    warehouse.require_audited(bank)
    scope(bank)
    with pytest.raises(warehouse.NotAudited):
        warehouse.require_audited(bank)


def test_a_banks_own_seed_lies_over_the_shipped_one_and_computes_everything(bank: Settings) -> None:
    arrive(bank, "tx1.csv", MONDAY)
    scope(bank)
    warehouse.settle(bank)
    own = bank.home / "config" / "dbt_project" / "seeds"
    own.mkdir(parents=True)
    (own / "identifier_limits.csv").write_text("identifier_type,max_holders,reason\nphone,2,a small bank\n")
    assert warehouse.open_run(bank, "test", date(2026, 3, 4), None)["days_to_compute"] == "all"
    project = warehouse.project(bank)
    assert (project / "seeds" / "identifier_limits.csv").read_text().endswith("phone,2,a small bank\n")
    assert (project / "seeds" / "cx_rules.csv").read_bytes() == (
        warehouse.DBT_PROJECT / "seeds" / "cx_rules.csv"
    ).read_bytes()


def test_a_seed_that_was_built_and_taken_back_computes_everything_until_it_is_published(bank: Settings) -> None:
    """Tables kept by digest hold what the seed made of them, whose rows have the digests of before."""
    arrive(bank, "tx1.csv", MONDAY)
    scope(bank)
    warehouse.settle(bank)
    own = bank.home / "config" / "dbt_project" / "seeds" / "cx_rules.csv"
    own.parent.mkdir(parents=True)
    shipped = (warehouse.DBT_PROJECT / "seeds" / "cx_rules.csv").read_text()
    own.write_text(shipped.replace("reliable_from_n,30", "reliable_from_n,20"))
    told = []
    for step in ("build", "take back", "build again", "publish", "next day"):
        if step == "take back":
            shutil.rmtree(bank.home / "config")
        if step == "next day":
            warehouse.settle(bank)
        told.append(warehouse.open_run(bank, "test", date(2026, 3, 4), None)["days_to_compute"])
    assert told == ["all", "all", "all", "all", 0]


def test_a_date_from_the_future_does_not_move_the_day_that_is_built(bank: Settings) -> None:
    arrive(bank, "tx1.csv", MONDAY + "t9;a1;01.01.2030;1,00;EUR;C;fee;\n" + TUESDAY)
    assert warehouse.open_run(bank, "test", None, None)["as_of"] == "2026-03-04"


def test_tokens_of_another_key_are_refused(bank: Settings) -> None:
    arrive(bank, "tx1.csv", MONDAY)
    other = bank.model_copy(update={"token_key": SecretStr("another key")})
    with pytest.raises(warehouse.OtherKey, match="bring back the key"):
        warehouse.open_run(other, "test", date(2026, 3, 4), None)


def test_a_mended_mapping_takes_the_place_of_what_the_old_one_made(bank: Settings) -> None:
    mapping = bank.source_folders[0] / "transactions.sql"
    mended = mapping.read_text()
    mapping.write_text(mended.replace("when 'D' then 'debit'", "when 'D' then 'credit'"))
    arrive(bank, "tx1.csv", MONDAY.replace(";C;", ";D;"))
    scope(bank)
    warehouse.settle(bank)
    mapping.write_text(mended)
    assert landing.land(bank, "transactions").deliveries == 1
    gates.check_deliveries(bank, "transactions", "test")
    assert scope(bank) == ["02"]
    with duckdb_engine.connect(bank) as db:
        assert db.sql("select direction, count(*) from raw.transactions group by 1").fetchall() == [("debit", 2)]
    assert landing.land(bank, "transactions").deliveries == 0, "once is enough"


def test_what_waits_for_somebody_is_listed_until_it_is_replaced_or_dropped(bank: Settings) -> None:
    arrive(bank, "tx1.csv", MONDAY)
    arrive(bank, "tx2.csv", "no;such;columns\n".replace(";", "\t"))
    with ledger.session(bank) as session:
        ((arrival, feed, name),) = visibility.kept_out(session, bank)
        assert (feed, name) == ("transactions", "2026-03-04/tx2.csv")
        manifest.decide(session, "drop", arrival, "sent by mistake", "anna")
    with ledger.session(bank) as session:
        assert visibility.kept_out(session, bank) == []


def test_a_warehouse_that_another_process_holds_is_waited_for(bank: Settings) -> None:
    """The task of a killed scheduler holds it for a while; nobody has to clear a task for that."""
    bank.warehouse.parent.mkdir(parents=True, exist_ok=True)
    hold = "import duckdb, sys, time; db = duckdb.connect(sys.argv[1]); print('held', flush=True); time.sleep(2)"
    with subprocess.Popen([sys.executable, "-c", hold, str(bank.warehouse)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None and holder.stdout.readline()
        with duckdb_engine.connect(bank) as db:
            assert holder.wait(1) == 0  # it let go of the file when it ended, an instant before it is gone
            assert db.execute("select 1").fetchall() == [(1,)]


def test_it_is_not_waited_for_for_ever(bank: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duckdb_engine, "PATIENCE", 0.1)
    bank.warehouse.parent.mkdir(parents=True, exist_ok=True)
    hold = "import duckdb, sys; db = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(bank.warehouse)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None and holder.stdout.readline()
        with pytest.raises(duckdb.IOException, match=str(holder.pid)), duckdb_engine.connect(bank):
            pass
        holder.communicate()


def test_the_project_is_parsed_anew_only_when_it_changed(settings: Settings) -> None:
    """Whatever the day is; the bank's own files belong to it, and so do words that are no code."""
    from dbt.contracts.graph.manifest import Manifest

    def has_to_parse() -> bool:
        with warehouse._parsed(settings) as manifest:
            kept = settings.home / "dbt" / "target" / "partial_parse.msgpack"
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_bytes(Manifest().to_msgpack())  # as dbt does
        return manifest is None

    assert [has_to_parse(), has_to_parse()] == [True, False]
    words = settings.home / "config" / "dbt_project" / "models" / "own.md"
    words.parent.mkdir(parents=True)
    for text in ("{% docs a %}one{% enddocs %}", "{% docs a %}two{% enddocs %}"):
        words.write_text(text)
        assert [has_to_parse(), has_to_parse()] == [True, False]
    words.write_text("{% docs a %}three{% enddocs %}")
    with suppress(RuntimeError), warehouse._parsed(settings):
        raise RuntimeError("killed while parsing")
    words.write_text("{% docs a %}two{% enddocs %}")
    assert has_to_parse(), "what was kept may be of the other words"
