"""The delivery day: what it waits for, until when, and what its closing says."""

from datetime import date, datetime, timedelta

import pytest

from cx360 import days, ledger, manifest, pipeline
from cx360.settings import Settings
from tests.pipeline import bank

DAY = date.fromisoformat(bank.DAY)
SATURDAY = date(2026, 3, 7)


@pytest.fixture
def core(settings: Settings) -> Settings:
    """A source that promises people every day and calls on weekdays; transactions come when they come."""
    home = bank.settle(settings)
    yaml = home.source_folders[0] / "source.yaml"
    text = yaml.read_text()
    for feed, when in (("parties", "daily"), ("call_logs", "weekdays")):
        text = text.replace(f"{{feed: {feed}, ", f"{{feed: {feed}, arrives: {when}, ")
    yaml.write_text(text)
    return home


def land(home: Settings, run_id: str = "night", day: date = DAY) -> pipeline.Run:
    run = pipeline.Run(run_id=run_id, until=day)
    for feed in days.feeds(home):
        pipeline.land(home, run, feed)
    return run


def closings(home: Settings) -> list[ledger.DayClosing]:
    with ledger.session(home) as session:
        return list(session.query(ledger.DayClosing).order_by(ledger.DayClosing.closing_number))


PEOPLE = "id;name;born;phone;mail;street;changed\np1;Ada;01.02.1980;;;;01.03.2026 08:00:00\n"
CALLS = "id;began;ended;phone;queue;said\nc1;01.03.2026 10:00:00;01.03.2026 10:05:00;;main;\n"


def test_feeds_are_those_the_sources_deliver(core: Settings) -> None:
    assert days.feeds(core) == ["parties", "transactions", "call_logs", "complaints"]


def test_a_day_misses_what_its_sources_promise(core: Settings) -> None:
    monday = date(2026, 3, 2)
    assert days.missing(core, monday) == ["core/call_logs", "core/parties"]
    assert days.missing(core, SATURDAY) == ["core/parties"]
    assert days.missing(core, monday, "parties") == ["core/parties"]
    assert days.missing(core, monday, "transactions") == []
    bank.deliver(core, "people.csv", PEOPLE, "2026-03-02")
    land(core, day=monday)
    assert days.missing(core, monday) == ["core/call_logs"]
    assert days.missing(core, SATURDAY) == ["core/parties"], "another day's file does not count"


def test_a_file_that_cannot_be_read_is_still_missing(core: Settings) -> None:
    bank.deliver(core, "people.csv", "something;else\n1;2\n")
    land(core)
    assert days.missing(core, DAY) == ["core/parties"]


@pytest.mark.parametrize(("moved", "is_open"), [(timedelta(hours=-1), True), (timedelta(hours=1), False)])
def test_a_day_is_open_until_the_cut_off_in_the_banks_time(core: Settings, moved: timedelta, is_open: bool) -> None:
    """The clock is the real one: the cut-off is moved around it."""
    from zoneinfo import ZoneInfo

    now = datetime.now(ZoneInfo("Europe/Berlin"))
    cut_off = now - moved
    home = core.model_copy(update={"cut_off": cut_off.time()})
    assert days.is_open(home, cut_off.date() - timedelta(days=1)) is is_open
    assert not days.is_open(home, cut_off.date() - timedelta(days=3))


def test_a_closing_says_what_its_build_knows_and_what_is_missing(core: Settings) -> None:
    monday = date(2026, 3, 2)
    bank.deliver(core, "people.csv", PEOPLE, "2026-03-02")
    run = land(core, day=monday)
    pipeline.check(core, run)
    closing = days.close(core, run.run_id, monday)
    assert (closing.known_at, closing.missing, closing.blocked) == (1, ["core/call_logs"], [])
    assert closing.as_dict()["day"] == "2026-03-02"

    bank.deliver(core, "calls.csv", CALLS, "2026-03-02")
    land(core, day=monday)
    again = days.close(core, "again", monday)
    assert (again.known_at, again.missing) == (2, [])
    assert [c.known_at for c in closings(core)] == [1, 2], "what was told stays told"


def test_a_closing_names_deliveries_that_wait_for_a_decision(core: Settings) -> None:
    bank.deliver(core, "people.csv", PEOPLE)
    bank.deliver(core, "tx.csv", "no;such;columns\n1;2;3\n")
    run = land(core)
    with pytest.raises(Exception, match="blocks 1 of 2"):
        pipeline.check(core, run)
    closing = days.close(core, run.run_id, DAY)
    assert len(closing.blocked) == 1
    with ledger.session(core) as session:
        manifest.decide(session, "drop", closing.blocked[0], "the source withdrew it", "test")
    assert days.close(core, run.run_id, DAY).blocked == []


def test_a_day_of_which_nothing_came_is_not_closed(core: Settings) -> None:
    with pytest.raises(days.NothingDelivered, match="nothing was delivered for 2026-03-01: expected core/parties"):
        days.close(core, "night", DAY)
    assert closings(core) == []


def test_without_a_day_the_last_one_delivered_for_is_closed(core: Settings) -> None:
    with pytest.raises(days.NothingDelivered, match="no complete file"):
        days.close(core, "night")
    bank.deliver(core, "people.csv", PEOPLE)
    land(core)
    assert days.close(core, "night").day == DAY


def test_two_processes_that_land_a_feed_take_each_file_once(core: Settings) -> None:
    """Both see the file as new; the second waits for the first."""
    from concurrent.futures import ThreadPoolExecutor

    bank.deliver(core, "tx.csv", bank.transactions())
    ledger.engine(core)
    run = pipeline.Run(run_id="night")
    with ThreadPoolExecutor(2) as pool:
        made = list(pool.map(lambda _: pipeline.land(core, run, "transactions")["deliveries"], range(2)))
    assert sorted(made) == [0, 1]
