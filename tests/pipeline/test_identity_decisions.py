"""What a person asks and decides of identity at the command line, and what the next publication makes of it."""

import json
from collections.abc import Callable

import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

from cx360 import cli, engines, ledger, pipeline
from cx360.gates import GateFailed
from cx360.identity import budget
from cx360.settings import Settings
from tests.pipeline.bank import deliver, settle

HEADER = "id,name,born,phone,mail,street,changed,said"
#: One person twice by phone and name, a relative on the same phone, and somebody else.
PEOPLE = f"""{HEADER}
p1,Zephyrine Quackenbush,1980-05-17,030 901820,zeph@example.org,Ahornweg 1,2026-03-01 10:00:00,
p2,"Quackenbush, Zephyrine",,+49 30 901820,,,2026-03-01 10:00:00,
p3,Ottokar Quackenbush,1950-01-02,030/901820,,Ahornweg 1,2026-03-01 10:00:00,
p4,Ottilie Quackenbush,1951-01-02,,,Birkenweg 7,2026-03-01 10:00:00,
"""


def build(home: Settings, run_id: str) -> None:
    run = pipeline.Run(run_id)
    pipeline.LAND(home, run, "parties")
    for step in (*pipeline.DAY_STEPS[:1], *pipeline.BUILD_STEPS):
        step(home, run)


@pytest.fixture(scope="module")
def home(new_home: Callable[[str], Settings]) -> Settings:
    made = settle(new_home("decided"))
    folder = made.home / "core"
    (folder / "source.yaml").write_text((folder / "source.yaml").read_text().replace('delimiter: ";", ', ""))
    deliver(made, "people.csv", PEOPLE)
    build(made, "first")
    return made


@pytest.fixture
def run(home: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs a command on that home."""
    assert home.database_url is not None
    monkeypatch.setenv("CX360_HOME", str(home.home))
    monkeypatch.setenv("CX360_SOURCES", home.sources)
    monkeypatch.setenv("CX360_DATABASE_URL", home.database_url.get_secret_value())
    return lambda *words: CliRunner().invoke(cli.app, list(words))


def profiles(home: Settings) -> dict[str, str]:
    """Published profile of each party record."""
    sql = "select identifier, profile_id from profile.customer_identifiers where identifier_type = 'party'"
    with ledger.session(home) as session:
        return {row[0]: row[1] for row in session.execute(text(sql))}


def changes(home: Settings) -> list[tuple[str, str]]:
    """Type and cause of what the last publication changed."""
    sql = """select change_type, cause from ops.identity_changes
        where publication_id = (select max(publication_id) from ops.publications) order by 1, 2"""
    with ledger.session(home) as session:
        return [(row[0], row[1]) for row in session.execute(text(sql))]


def test_explain_tells_the_chain_and_shows_no_value(home: Settings, run: Callable[..., Result]) -> None:
    of = profiles(home)
    assert of["p1"] == of["p2"] and len({of[p] for p in ("p1", "p3", "p4")}) == 3
    for asked in ("p2", of["p1"]):
        done = run("explain", asked)
        assert done.exit_code == 0, done.output
        assert "p1 and p2: phone_name over k" in done.output
        assert "Quackenbush" not in done.output and "name aaaaaaaaaaa, aaaaaaaaa" in done.output
    assert "Quackenbush" in run("explain", "p2", "--unmask").output
    found = json.loads(run("explain", "p2", "--format", "json").output)
    assert [record["party_id"] for record in found["records"]] == ["p1", "p2"]
    assert found["records"][0]["delivery_name"] == "2026-03-01/people.csv"


def test_explain_tells_of_a_number_as_people_write_it_and_of_nobody(run: Callable[..., Result]) -> None:
    done = run("explain", "+49 30 901820")
    assert done.exit_code == 0 and "nobody's: several people hold it" in done.output
    assert run("explain", "zeph@EXAMPLE.org").output.startswith("Profile p")
    nobody = run("explain", "Nemo")
    assert nobody.exit_code == 1 and "nobody is known by that" in str(nobody.exception)


def test_a_decision_joins_parts_and_is_taken_back_exactly(home: Settings, run: Callable[..., Result]) -> None:
    before = profiles(home)
    assert run("identity", "join", "p4", "p3", "--reason", "married, seen in the branch").exit_code == 0
    assert run("identity", "part", "p1", "p2", "--reason", "sisters").exit_code == 0
    held = run("identity", "decisions").output
    assert "force_link" in held and "do_not_link" in held
    build(home, "decided")
    decided = profiles(home)
    assert decided["p3"] == decided["p4"] == before["p3"]
    assert decided["p1"] == before["p1"] != decided["p2"]
    assert changes(home) == [("merge", "force_link"), ("split", "do_not_link")]
    assert "do_not_link p1 p2" in run("explain", "p1").output

    numbers = [d["decision_number"] for d in json.loads(run("identity", "decisions", "--format", "json").output)]
    for number in numbers:
        assert run("identity", "withdraw", str(number), "--reason", "an exercise").exit_code == 0
    assert run("identity", "withdraw", str(numbers[0]), "--reason", "again").exit_code == 2
    build(home, "withdrawn")
    assert profiles(home) == before
    assert changes(home) == [("merge", "phone_name"), ("split", "evidence is gone")]


def test_the_opposite_of_what_holds_is_refused(home: Settings, run: Callable[..., Result]) -> None:
    assert run("identity", "join", "p1", "p4", "--reason", "one").exit_code == 0
    done = run("identity", "part", "p4", "p1", "--reason", "two")
    assert done.exit_code == 1 and "says force_link of these two records" in str(done.exception)
    assert run("identity", "join", "p1", "p1", "--reason", "one").exit_code == 2
    number = json.loads(run("identity", "decisions", "--format", "json").output)[0]["decision_number"]
    assert run("identity", "withdraw", str(number), "--reason", "an exercise").exit_code == 0


def test_what_a_run_made_of_people_is_counted(home: Settings) -> None:
    sql = "select run_id, parties, people, merged, split from ops.identity_runs order by identity_run_number"
    with ledger.session(home) as session:
        counted = [tuple(row) for row in session.execute(text(sql))]
    assert counted == [("first", 4, 3, 0, 0), ("decided", 4, 3, 1, 1), ("withdrawn", 4, 3, 1, 1)]


def test_too_many_merges_block_and_the_message_names_their_cause(home: Settings, run: Callable[..., Result]) -> None:
    """Thirty published people whose records come again with one phone and name: a placeholder somebody typed."""
    rows = [f"q{n:02d},Erika Mustermann,,,e{n}@example.org,,2026-03-02 10:00:00," for n in range(30)]
    deliver(home, "people2.csv", "\n".join([HEADER, *rows, ""]), "2026-03-02")
    build(home, "thirty")
    pairs = [f"q{n:02d},Erika Mustermann,,030 77{n // 5:04d},e{n}@example.org,,2026-03-03 10:00:00," for n in range(30)]
    deliver(home, "people3.csv", "\n".join([HEADER, *pairs, ""]), "2026-03-03")
    was = profiles(home)
    with pytest.raises(GateFailed, match="few_profiles_merge") as blocked:
        build(home, "shared")
    assert "24 by phone_name" in str(blocked.value)
    assert profiles(home) == was, "yesterday's stays"
    with engines.open_warehouse(home, read_only=True) as db:
        largest = budget.causes(db)["largest"]
    assert largest.startswith("5 records such as q") and " of their links by phone_name over k" in largest
