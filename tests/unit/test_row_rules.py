"""Row rules: how a text is read; what decides only how fast must not decide what."""

import duckdb
import pytest

from cx360 import contracts, row_rules
from cx360.sources import FileSpec

CALLS = contracts.load()["call_logs"]
TEXTS = (
    "2026-03-01",
    "2026-3-1",
    "2026-02-30",
    "2026-03-01 10:00:00",
    "2026-03-01T10:00",
    "2026-03-01 10:00:00.25",
    "2026-03-01 24:00:00",
    "2026-03-01T10:00:00Z",
    "2026-03-01 10:00:00+0530",
    "01.03.2026",
    "01.03.2026 10:00:00",
    "infinity",
    "epoch",
    "0026-01-01",
    "10:00",
    "",
)


def _read(column: str, formats: tuple[str, ...]) -> list[object]:
    """What the rules make of the texts, as text; formats are of dates and timestamps alike."""
    spec = FileSpec(feed="call_logs", pattern="*", date_formats=formats, timestamp_formats=formats)
    found = CALLS.column(column)
    layers = (
        f"select *, {row_rules.cast(found)} as value from ("
        f"select *, {row_rules.read(found, spec, 'Europe/Berlin')} as {column}__read from ("
        f"select place, nullif(t, '') as {column}__text, 'VARCHAR' as {column}__given from texts))"
    )
    with duckdb.connect() as db:
        db.execute("set TimeZone = 'UTC'")
        db.execute("create table texts as select unnest($1) as t, unnest(range(len($1))) as place", [list(TEXTS)])
        return [v for (v,) in db.execute(f"select value::varchar from ({layers}) order by place").fetchall()]


def test_iso_formats_are_read_the_same_with_and_without_another_that_fits_nothing() -> None:
    # The second format, which fits no text here, has the declared ones tried first, one after the other.
    iso = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d")
    assert _read("started_at", iso) == _read("started_at", (*iso, "%d/%m/%Y"))
    assert _read("started_at", iso)[:4] == [
        "2026-02-28 23:00:00+00",
        "2026-02-28 23:00:00+00",
        None,
        "2026-03-01 09:00:00+00",
    ]


def test_a_declared_format_goes_before_iso() -> None:
    assert _read("started_at", ("%Y-%d-%m",))[0] == "2026-01-02 23:00:00+00"


@pytest.mark.parametrize(
    "text", ["a", " a", "a ", "\ta", "a\t", "é", "\u00a0é", "a\u3000", "é ", " ", "\u2009", "", "a b"]
)
def test_a_text_is_trimmed_as_the_database_trims(text: str) -> None:
    sql = row_rules.trimmed("t::varchar", FileSpec(feed="call_logs", pattern="*"))
    with duckdb.connect() as db:
        found = db.execute(f"select {sql}, nullif(trim(t), '') from (select $1 as t)", [text]).fetchall()
    assert found[0][0] == found[0][1]
