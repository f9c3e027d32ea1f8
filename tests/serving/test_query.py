"""``cx360 query``."""

import csv
import io
import json
from typing import Any

import pytest

from cx360 import query
from cx360.publish import publish
from cx360.settings import Settings
from tests.serving.conftest import Bank


@pytest.fixture
def published(bank: Bank) -> Settings:
    """Settings of a bank that is published."""
    publish(bank.settings, bank.run())
    return bank.settings


def answer(settings: Settings, sql: str, format: query.Format) -> str:
    """What a query prints."""
    out = io.StringIO()
    assert query.run(settings, sql, format, out) == 0
    return out.getvalue()


SQL = (
    "select profile_id, balance_amount, last_login_at, is_active, segment from profile.customer_profile"
    " where profile_id in ('p000002', 'p000005') order by 1;"
)


def test_csv(published: Settings) -> None:
    """Exact decimals, ISO times, an empty cell for null."""
    assert list(csv.reader(io.StringIO(answer(published, SQL, "csv")))) == [
        ["profile_id", "balance_amount", "last_login_at", "is_active", "segment"],
        ["p000002", "2.50", "2024-03-01T12:00:02+00:00", "false", "Größe 2"],
        ["p000005", "6.25", "2024-03-01T12:00:05+00:00", "false", ""],
    ]


def test_json(published: Settings) -> None:
    """An array of objects; numbers are numbers unless that would lose digits."""
    rows: list[dict[str, Any]] = json.loads(answer(published, SQL, "json"))
    assert [row["balance_amount"] for row in rows] == [2.5, 6.25]
    assert [row["segment"] for row in rows] == ["Größe 2", None]
    exact = json.loads(answer(published, "select 0.12345678901234567890 as a, 10::numeric as b", "json"))
    assert exact == [{"a": "0.12345678901234567890", "b": 10}]
    assert json.loads(answer(published, "select 1 where false", "json")) == []


def test_table(published: Settings) -> None:
    """Every cell is whole, and the number of rows is said."""
    printed = answer(published, SQL, "table")
    assert "2024-03-01T12:00:02+00:00" in printed
    assert "Größe 2" in printed
    assert printed.endswith("2 rows\n")
    wide = answer(published, f"select '{'x' * 60}…' as a, repeat('long', 60) as b", "table")
    assert wide.count("…") == 1, "what an ellipsis stands for cannot be copied"
    long = answer(published, "select i from generate_series(1, 1000) i", "table")
    assert long.endswith("1000 rows, the first 200 shown; --format csv prints all\n")


def test_sql_from_standard_input(published: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dash reads it there."""
    monkeypatch.setattr("sys.stdin", io.StringIO("select count(*) as n\nfrom profile.customer_profile;\n"))
    assert answer(published, "-", "csv") == "n\n50\n"


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("selekt 1", 'syntax error at or near "selekt" (at character 1)'),
        ("select * from profile.customers", "Tables to read: cx.cx_metrics_daily, ops.conservation"),
        ("select nonsense from profile.customer_profile", 'column "nonsense" does not exist'),
        ("select * from pii.identifier_values", "permission denied for schema pii"),
        ("create view analyst.v as select 1", "read-only transaction"),
        ("select 1; select 2", "multiple commands"),
        ("  ; ", "there is no SQL"),
        ("select 1 / 0", "division by zero"),
    ],
)
def test_what_cannot_be_run_says_why(
    published: Settings, capsys: pytest.CaptureFixture[str], sql: str, says: str
) -> None:
    """Exit code 2, the reason on standard error, nothing on standard output."""
    assert query.run(published, sql) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert says in said.err
    assert "Traceback" not in said.err


def test_a_wrong_password_says_where_it_belongs(published: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    """A role may have been there before cx360."""
    (published.home / "keys" / "postgres_cx360_bi").write_text("wrong")
    assert query.run(published, "select 1") == 2
    assert "keys/postgres_cx360_bi" in capsys.readouterr().err


def test_it_starts_the_embedded_server_and_finds_the_schemas(embedded: Settings) -> None:
    """On a home where nothing ever ran there are no publications, not an error."""
    assert answer(embedded, "select count(*) as n from ops.publications", "csv") == "n\n0\n"
