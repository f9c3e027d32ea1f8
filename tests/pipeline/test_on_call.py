"""What the person on call is told and may do: status, quarantine, rollback, at the command line."""

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cx360 import cli, gates, landing, ledger, manifest, publish, quarantine, rollback, screen, status, visibility
from cx360.contracts import FEEDS
from cx360.settings import Settings
from tests.pipeline.bank import deliver, settle, transactions
from tests.serving.conftest import Bank, bank  # noqa: F401  (a fixture)

MONDAY = "t1;a1;02.03.2026;1,00;EUR;C;fee;\nt2;a1;02.03.2026;2,00;EUR;C;fee;\n"
BAD = "t9;a1;never;1,00;EUR;C;fee;for Zephyrine\n"


@pytest.fixture(scope="module")
def shared(new_home: Callable[[str], Settings]) -> Settings:
    """Three deliveries: sound, blocked for its quarantine, unreadable; and people's names in none of what is told."""
    made = settle(new_home("on_call"))
    arrive(made, "tx1.csv", transactions(MONDAY), "2026-03-03")
    arrive(made, "tx2.csv", transactions(MONDAY.replace("t", "u") + BAD * 3), "2026-03-04")
    arrive(made, "tx3.csv", "Zephyrine;Quackenbush\n", "2026-03-05")
    return made


def arrive(settings: Settings, name: str, content: str, day: str) -> None:
    deliver(settings, name, content, day)
    landing.land(settings, "transactions")
    with suppress(gates.GateFailed):
        gates.check_deliveries(settings, "transactions", "test")


@pytest.fixture
def run(shared: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs a command on that home; nothing it says holds a person's name."""
    assert shared.database_url is not None
    monkeypatch.setenv("CX360_HOME", str(shared.home))
    monkeypatch.setenv("CX360_SOURCES", shared.sources)
    monkeypatch.setenv("CX360_DATABASE_URL", shared.database_url.get_secret_value())

    def invoke(*words: str) -> Result:
        done = CliRunner().invoke(cli.app, list(words))
        assert "Zephyrine" not in done.output and "Quackenbush" not in done.output
        return done

    return invoke


def test_status_says_where_each_feed_stands(shared: Settings) -> None:
    found = status.gather(shared)
    by_feed = {feed.feed: feed for feed in found.feeds}
    told = by_feed["transactions"]
    assert (told.arrival_number, told.gate, told.rows_in, told.missing) == (3, "blocked", 0, None)
    assert (told.last_date, told.days_behind) == (date(2026, 3, 2), 0), "of what may be read"
    assert by_feed["parties"].missing == "never came"
    assert by_feed["holdings"].missing == "no source delivers it"
    assert [(one.arrival_number, one.next) for one in found.kept_out] == [
        (3, "cx360 quarantine show 3"),
        (2, "cx360 quarantine show 2"),
    ]
    assert found.kept_out[0].why == "no row could be taken from it"
    assert found.kept_out[1].why == "rule quarantine_limit"
    assert found.publication is None


def test_status_of_a_feed_that_is_late(settings: Settings) -> None:
    made = settle(settings)
    yaml = made.source_folders[0] / "source.yaml"
    yaml.write_text(yaml.read_text().replace("{feed: transactions, ", "{feed: transactions, arrives: daily, ", 1))
    arrive(made, "tx1.csv", transactions(MONDAY), "2026-03-03")
    deliver(made, "people.csv", "id;name;born;phone;mail;street;changed\n", "2026-03-07")
    landing.land(made, "parties")
    late, fresh = (
        next(feed for feed in status.gather(made).feeds if feed.feed == name) for name in ("transactions", "parties")
    )
    assert late.missing == "nothing for 2026-03-07"
    assert (fresh.missing, fresh.gate) == (None, "not yet checked")


def test_status_at_the_command_line(run: Callable[..., Result]) -> None:
    done = run("status")
    assert done.exit_code == 0
    assert "never came" in done.stdout and "cx360 quarantine show 3" in done.stdout
    told = json.loads(run("status", "--format", "json").stdout)
    assert len(told["feeds"]) == len(FEEDS) and len(told["kept_out"]) == 2


def test_status_of_a_home_where_nothing_was_ever_run(embedded: Settings) -> None:
    found = status.gather(embedded)
    assert found.feeds == [] and "make run" in found.notes[0]
    assert not embedded.home.exists()


def test_quarantine_is_listed_newest_first_and_narrowed(run: Callable[..., Result]) -> None:
    def reasons(*words: str) -> list[tuple[Any, ...]]:
        told = json.loads(run("quarantine", "list", "--format", "json", *words).stdout)
        return [(row["arrival_number"], row["reason"], row["rows"], row["masked_example"]) for row in told["rows"]]

    assert reasons()[0] == (2, "unparseable:booked_date", 3, "aaaaa")
    assert reasons("--day", "2026-03-03") == reasons("--feed", "parties") == []
    done = run("quarantine", "list", "--day", "2026-03-05")
    assert "Deliveries kept out of the tables: 1" in done.stdout and "No row is quarantined." in done.stdout
    assert run("quarantine", "list", "--feed", "payments").exit_code == 2


def test_a_blocked_delivery_is_shown_with_rules_and_shapes_and_no_value(shared: Settings) -> None:
    shown = quarantine.inspect(shared, 2)
    blocking = [rule for rule in shown.rules if rule.blocks]
    assert [rule.rule for rule in blocking] == ["quarantine_limit"]
    assert all(rule.expected and rule.observed and rule.next for rule in blocking)
    assert {tuple(shape.reasons) for shape in shown.shapes} == {("unparseable:booked_date",)}
    assert shown.shapes[0].values["day"] == "aaaaa"
    assert shown.shapes[0].values["text"] == "aaa aaaaaaaaa"
    assert shown.quarantine_file is not None and "/pii/quarantine/" in shown.quarantine_file
    assert any("quarantine release 2" in step for step in shown.next)


def test_what_is_shown_of_an_unreadable_one(run: Callable[..., Result]) -> None:
    done = run("quarantine", "show", "3")
    assert "tx3.csv lacks column" in done.stdout
    assert "cx360 replay transactions --arrival 3" in done.stdout
    assert "quarantine release" not in done.stdout, "there is nothing to release"


def test_a_column_nobody_declared_is_told_by_its_place() -> None:
    raw = '{"id": "t1", "Ada Lovelace": "x9", "what": null}'
    assert quarantine._masked(raw, {"id", "what"}) == {"id": "a9", "(column 2)": "a9", "what": None}
    assert quarantine._masked("Ada;17", set()) == {"(no record)": "aaa;99"}


def test_a_decision_is_recorded_and_may_be_taken_back(shared: Settings, run: Callable[..., Result]) -> None:
    def standing() -> tuple[str, bool]:
        shown = quarantine.inspect(shared, 2)
        return shown.gate, shown.is_read

    assert standing() == ("blocked", False)
    done = run("quarantine", "release", "2", "--reason", "known dirt of a migration")
    assert done.exit_code == 0 and "The next run of profile acts on it" in done.stdout
    assert standing() == ("released", True)
    assert run("quarantine", "drop", "2", "--reason", "it was not").exit_code == 0
    assert standing() == ("dropped", False)
    with ledger.session(shared) as session:
        assert [one.arrival_number for one in status.kept_out(session, shared)] == [3]
        kinds = [d.kind for d in session.query(ledger.Decision).order_by(ledger.Decision.decision_number)]
    assert kinds == ["release", "drop"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("release", "3", "--reason", "x"), "nothing to"),
        (("release", "99", "--reason", "x"), "there is no delivery 99"),
        (("drop", "1", "--reason", " "), "has a reason"),
        (("drop", "1"), "--reason"),
    ],
)
def test_a_decision_that_is_none(run: Callable[..., Result], words: tuple[str, ...], says: str) -> None:
    done = run("quarantine", *words)
    assert done.exit_code == 2
    assert says in " ".join(done.output.replace("│", " ").split())


def test_replay_at_the_command_line(shared: Settings, run: Callable[..., Result]) -> None:
    mapping = shared.source_folders[0] / "transactions.sql"
    was = mapping.read_text()
    mapping.write_text(was.replace("'booked' as status", "'pending' as status"))
    first = ("replay", "transactions", "--arrival", "1")
    done = run(*first, "--dry-run")
    assert done.exit_code == 0 and "nothing is changed" in done.stdout and "landed anew" in done.stdout
    done = run(*first)
    assert done.exit_code == 0 and "accepted 2 -> 2" in done.stdout
    assert "already" not in run("replay", "transactions", "--to", "2026-03-03").stdout
    done = run("replay", "transactions", "--from", "2026-03-05")
    assert done.exit_code == 3 and "cx360 quarantine list --feed transactions" in done.output
    assert run("replay", "payments").exit_code == 2
    mapping.write_text(was)


# --- rollback ----------------------------------------------------------------------------------------------------


@pytest.fixture
def published(bank: Bank) -> Bank:  # noqa: F811
    """Three publications; the third brought delivery 1, and something wrong."""
    for version in (1, 2):
        bank.version = version
        bank.build()
        publish.publish(bank.settings, bank.run(f"run {version}"))
    bank.deliver(("email", "k1:email:1", "a@b.example"))
    bank.version = 3
    bank.build()
    publish.publish(bank.settings, bank.run("run 3"))
    return bank


def said(settings: Settings, publication_id: int | None = None) -> str:
    console = screen.console()
    with console.capture() as capture:
        rollback.back(settings, publication_id, console)
    return capture.get()


def seen(settings: Settings) -> tuple[int, str]:
    with ledger.session(settings) as session:
        now = status.publications(session, settings)[0]
        return now.publication_id, now.run_id


def test_a_rollback_goes_to_the_publication_before_and_once(published: Bank) -> None:
    told = said(published.settings)
    assert "Readers see publication 2 again, as publication 4" in told
    assert "The next green run of profile publishes forward again" in told
    assert seen(published.settings) == (4, "rollback to publication 2")
    assert "Nothing to do" in said(published.settings)
    assert seen(published.settings)[0] == 4
    assert "Readers see publication 1 again" in said(published.settings, 1)
    assert "Nothing to do" in said(published.settings, 1), "a second one is harmless"
    assert seen(published.settings) == (5, "rollback to publication 1")


def test_a_rollback_names_what_to_drop(published: Bank) -> None:
    settings = published.settings
    with ledger.session(settings) as session:
        session.add(
            ledger.GateResult(
                run_id="x",
                gate="delivery.parties",
                arrival_number=1,
                rule="r",
                level="block",
                outcome="passed",
                reason="x",
            )
        )
        newest = session.get_one(ledger.Publication, 3)
        newest.known_at, newest.as_of = 1, date(2024, 3, 2)
        session.get_one(ledger.Publication, 2).known_at = 0
    with ledger.session(settings) as session:
        assert visibility.visible_arrivals(session, settings, None) == [1]
    told = said(settings)
    assert "customer_features ends at 2024-03-01 now" in told and "publication 3 again before that run" in told
    assert "parties.csv" in told and 'cx360 quarantine drop DELIVERY --reason "…"' in told


def test_publications_are_listed_with_what_can_be_gone_back_to(published: Bank) -> None:
    with ledger.session(published.settings) as session:
        first = status.publications(session, published.settings)[-1]
    for path in (published.settings.publications / first.parquet_path).iterdir():
        path.unlink()
    console = screen.console()
    with console.capture() as capture:
        rollback.show(published.settings, console)
    lines = capture.get().splitlines()
    assert "readers see this" in lines[1]
    assert "can be gone back to" in lines[2]
    assert "files no longer kept" in lines[3]
    from cx360.sync import SyncError

    with pytest.raises(SyncError, match="publication 1 is not kept"):
        rollback.back(published.settings, 1, console)


def test_there_is_nothing_to_go_back_to(bank: Bank) -> None:  # noqa: F811
    with pytest.raises(rollback.RollbackError, match="nothing was published"):
        rollback.back(bank.settings, None, screen.console())
    publish.publish(bank.settings, bank.run())
    with pytest.raises(rollback.RollbackError, match="no kept publication before 1"):
        rollback.back(bank.settings, None, screen.console())


def test_publish_wants_to_be_told_what(run: Callable[..., Result]) -> None:
    assert run("publish").exit_code == 2
    assert run("publish", "--rollback", "--list").exit_code == 2
    assert "Nothing was published yet" in run("publish", "--list").stdout


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("CX360_DATABASE_URL", "postgresql://anna:hush@127.0.0.1:1/bank", "cx360 doctor says more"),
        ("CX360_THREADS", "many", "CX360_THREADS: Input should be a valid integer"),
    ],
)
def test_an_error_that_may_happen_is_one_line(
    run: Callable[..., Result],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    variable: str,
    value: str,
    says: str,
) -> None:
    monkeypatch.setenv(variable, value)
    monkeypatch.setattr("sys.argv", ["cx360", "status"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    told = capsys.readouterr().err
    assert ended.value.code == 1
    assert told.startswith("cx360: ") and told.count("\n") == 1
    assert says in told and "hush" not in told


def test_a_decision_carries_the_name_of_who_decided(shared: Settings) -> None:
    with ledger.session(shared) as session:
        decision = manifest.decide(session, "drop", 1, "for the test", "anna")
        assert decision.decided_by == "anna"
        session.rollback()
