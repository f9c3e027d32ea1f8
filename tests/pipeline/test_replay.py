"""Replay: a mended mapping or contract over the raw files that are kept."""

from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest

from cx360 import gates, landing, ledger, manifest, replay, visibility, warehouse
from cx360.engines import duckdb as duckdb_engine
from cx360.replay import Replayed, ReplayError, Wanted
from cx360.settings import Settings
from tests.pipeline.bank import deliver, settle, transactions

MONDAY = "t1;a1;02.03.2026;1,00;EUR;C;fee;\nt2;a1;02.03.2026;2,00;EUR;C;fee;\n"
TUESDAY = "t3;a1;03.03.2026;3,00;EUR;C;fee;\n"
CALLS = "id;began;ended;phone;queue;said\n"
CALL = "c1;{day}.03.2026 10:00:00;{day}.03.2026 10:0{minutes}:00;0309001820;loans;\n"


@pytest.fixture
def bank(settings: Settings) -> Settings:
    return settle(settings)


def arrive(bank: Settings, feed: str, name: str, content: str | bytes, day: str = "2026-03-04") -> Path:
    path = deliver(bank, name, content, day)
    land(bank, feed)
    return path


def land(bank: Settings, feed: str) -> None:
    landing.land(bank, feed)
    with suppress(gates.GateFailed):
        gates.check_deliveries(bank, feed, "test")


def run(bank: Settings, feed: str = "transactions", dry_run: bool = False, **wanted: object) -> list[str]:
    """Fates of a replay; what progress said must be what it returns."""
    told: list[Replayed] = []
    done = replay.replay(bank, feed, Wanted(**wanted), told.append, dry_run)  # type: ignore[arg-type]
    assert told == done
    return [one.fate for one in done]


def mapping(bank: Settings, feed: str = "transactions") -> Path:
    return bank.source_folders[0] / f"{feed}.sql"


def change(path: Path, old: str, new: str) -> None:
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def visible(bank: Settings) -> list[int]:
    with ledger.session(bank) as session:
        return visibility.visible_arrivals(session, bank, None)


def rows(bank: Settings, sql: str) -> list[tuple[object, ...]]:
    """Rows of what a run opened now is shown."""
    warehouse.open_run(bank, "test", date(2026, 3, 4), None)
    with duckdb_engine.connect(bank) as db:
        return db.sql(sql).fetchall()


def test_a_mended_mapping_takes_files_that_left_the_inbox(bank: Settings) -> None:
    change(mapping(bank), "when 'D' then 'debit'", "when 'D' then 'credit'")
    for day, content in (("03", MONDAY), ("04", TUESDAY)):
        arrive(bank, "transactions", "tx1.csv", transactions(content.replace(";C;", ";D;")), f"2026-03-{day}").unlink()
    before = visible(bank)
    change(mapping(bank), "when 'D' then 'credit'", "when 'D' then 'debit'")
    assert run(bank) == ["landed anew"] * 2
    assert rows(bank, "select direction, count(*) from raw.transactions group by 1") == [("debit", 3)]
    assert not set(before) & set(visible(bank))
    assert run(bank) == ["unchanged"] * 2, "once is enough"


def test_what_is_replayed_is_known_to_landing(bank: Settings) -> None:
    arrive(bank, "transactions", "tx1.csv", transactions(MONDAY))
    change(mapping(bank), "'booked' as status", "'pending' as status")
    run(bank)
    assert landing.land(bank, "transactions").known_already == 1


def test_an_unreadable_file_is_replayed(bank: Settings) -> None:
    change(mapping(bank), "day as booked_date", "tag as booked_date")
    arrive(bank, "transactions", "tx1.csv", transactions(MONDAY)).unlink()
    assert visible(bank) == []
    change(mapping(bank), "tag as booked_date", "day as booked_date")
    (one,) = replay.replay(bank, "transactions", Wanted(), lambda _: None)
    assert one.sentence() == ("2026-03-04/tx1.csv (delivery 1): landed anew, accepted 0 -> 2, quarantined 0 -> 0")
    assert len(visible(bank)) == 1


def test_an_unreadable_file_says_so_by_its_own_name(bank: Settings) -> None:
    arrive(bank, "transactions", "tx1.csv", transactions(MONDAY)).unlink()
    change(mapping(bank), "day as booked_date", "tag as booked_date")
    with pytest.raises(gates.GateFailed):
        run(bank)
    with ledger.session(bank) as session:
        after = manifest.latest_delivery(session, "core", "transactions", "2026-03-04/tx1.csv")
    assert after is not None and after.outcome == "unreadable"
    assert after.message is not None and after.message.startswith("tx1.csv lacks column tag")
    assert visible(bank) == [1], "what was visible stays"


def test_a_raised_contract_version_is_replayed(bank: Settings) -> None:
    arrive(bank, "transactions", "tx1.csv", transactions(MONDAY))
    assert run(bank) == ["unchanged"]
    own = bank.home / "config" / "contracts" / "transactions.odcs.yaml"
    own.parent.mkdir(parents=True)
    from cx360.settings import PROJECT

    shipped = (PROJECT / "contracts" / own.name).read_text()
    assert "\nversion: 1.0.0\n" in shipped
    own.write_text(shipped.replace("\nversion: 1.0.0\n", "\nversion: 1.0.1\n"))
    assert run(bank) == ["landed anew"]


def test_filters_name_what_is_replayed(bank: Settings) -> None:
    for day in ("01", "02", "03"):
        arrive(bank, "transactions", "tx1.csv", transactions(MONDAY.replace("t", f"d{day}t")), f"2026-03-{day}")
    change(mapping(bank), "'booked' as status", "'pending' as status")
    assert run(bank, dry_run=True, first_day=date(2026, 3, 2)) == ["landed anew"] * 2
    assert visible(bank) == [1, 2, 3], "a dry run does nothing"
    assert run(bank, source="another") == []
    assert run(bank, first_day=date(2026, 3, 2), last_day=date(2026, 3, 2)) == ["landed anew"]
    assert visible(bank) == [1, 3, 4]
    assert run(bank, arrival_number=3) == ["landed anew"]
    with pytest.raises(ReplayError, match=r"replaced by delivery 5 .* replay that one"):
        run(bank, arrival_number=3)
    with pytest.raises(ReplayError, match="there is none"):
        run(bank, arrival_number=99)
    with pytest.raises(ReplayError, match="feeds are parties"):
        run(bank, "payments")


def test_the_row_that_won_goes_on_winning(bank: Settings) -> None:
    """A call has no version: the later delivery wins, and replaying the earlier one must not change that."""
    for day, minutes in (("02", 1), ("03", 2)):
        arrive(bank, "call_logs", "calls.csv", CALLS + CALL.format(day=day, minutes=minutes), f"2026-03-{day}")
    arrive(bank, "call_logs", "calls.csv", CALLS + CALL.format(day="04", minutes=3).replace("c1", "c2"), "2026-03-04")
    winner = "select ended_at::varchar from raw.call_logs where call_id = 'c1' order by arrival_number desc limit 1"
    was = rows(bank, winner)
    change(mapping(bank, "call_logs"), "'handled' as outcome", "'abandoned' as outcome")
    assert run(bank, "call_logs", last_day=date(2026, 3, 2)) == ["landed anew", "follows"]
    assert rows(bank, winner) == was
    assert visible(bank) == [3, 4, 5], "what does not compete is not recorded again"


def test_both_files_of_a_name_are_replayed_in_their_order(bank: Settings) -> None:
    arrive(bank, "transactions", "tx1.csv", transactions(MONDAY))
    arrive(bank, "transactions", "tx1.csv", transactions(MONDAY.splitlines()[0].replace("1,00", "9,00") + "\n"))
    change(mapping(bank), "'booked' as status", "'pending' as status")
    assert run(bank) == ["landed anew"] * 2
    won = "select amount::double from raw.transactions where transaction_id = 't1' order by arrival_number desc limit 1"
    assert rows(bank, won) == [(9.0,)]
    assert rows(bank, "select count(*), min(status), max(status) from raw.transactions") == [(3, "pending", "pending")]


def test_lost_files_of_the_lake_are_restored_and_nothing_is_recorded(bank: Settings) -> None:
    arrive(bank, "transactions", "tx1.csv", transactions(MONDAY)).unlink()
    (lost,) = (bank.lake / "transactions").iterdir()
    was = lost.read_bytes()
    lost.unlink()
    assert run(bank) == ["restored"]
    assert lost.read_bytes() == was
    assert visible(bank) == [1]
    assert run(bank) == ["unchanged"]


def test_what_cannot_be_replayed_is_left_out_and_says_why(bank: Settings) -> None:
    for number in (1, 2, 3, 4):
        content = transactions(MONDAY.replace("t", f"n{number}t"))
        arrive(bank, "transactions", f"tx{number}.{'jsonl' if number == 2 else 'csv'}", content)
    first, second, _ = (raw for raw in sorted((bank.lake / "pii/raw").rglob("*.csv"), key=lambda p: p.stat().st_mtime))
    first.unlink()
    second.write_text("damaged")
    with ledger.session(bank) as session:
        manifest.decide(session, "drop", 4, "sent by mistake", "anna")
    change(mapping(bank), "'booked' as status", "'pending' as status")
    source = bank.source_folders[0] / "source.yaml"
    change(source, "tx*.jsonl", "other*.jsonl")
    done = replay.replay(bank, "transactions", Wanted(), lambda _: None)
    assert [one.fate for one in done] == ["left out"] * 4
    for one, says in zip(done, ("is not in the lake", "no pattern", "is damaged", "--arrival 4"), strict=True):
        assert says in one.sentence()
    assert run(bank, arrival_number=4) == ["landed anew"]


def test_a_file_that_came_meanwhile_is_not_overtaken(bank: Settings) -> None:
    arrive(bank, "transactions", "tx1.csv", transactions(MONDAY))
    change(mapping(bank), "'booked' as status", "'pending' as status")

    def meanwhile(_: Replayed) -> None:
        arrive(bank, "transactions", "tx1.csv", transactions(TUESDAY))

    with pytest.raises(ReplayError, match="delivery 2 of transactions came meanwhile"):
        replay.replay(bank, "transactions", Wanted(), meanwhile)
    assert visible(bank) == [1, 2]


def test_a_killed_replay_changed_nothing(bank: Settings) -> None:
    for day in ("03", "04"):
        arrive(bank, "transactions", "tx1.csv", transactions(MONDAY.replace("t", f"d{day}t")), f"2026-03-{day}")
    change(mapping(bank), "'booked' as status", "'pending' as status")

    def killed(_: Replayed) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        replay.replay(bank, "transactions", Wanted(), killed)
    assert visible(bank) == [1, 2]
    assert list(bank.staging.iterdir()) == []
    assert run(bank) == ["landed anew"] * 2
