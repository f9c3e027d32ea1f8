"""Reading: a staged file becomes ``records``, its records as text, and ``malformed``, what is no record.

Here belongs what differs between CSV, JSON Lines and Parquet. What the text means belongs in ``row_rules``. ``records``
is a view: a large CSV file is read where it is needed, not kept in memory as text.
"""

import csv
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from cx360 import lake
from cx360.lake import Staged, UnreadableError, blame
from cx360.sources import File
from cx360.sql import identifier, literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

#: Longest record taken, in bytes; a longer one is malformed, not a reason to fail.
_LONGEST_RECORD = 8 << 20
#: How DuckDB reads lines: what is no record goes into a table instead of an error. A thread takes a buffer at a time,
#: which is many times larger if nothing is said.
_REJECTS = (
    f"auto_detect = false, max_line_size = {_LONGEST_RECORD}, buffer_size = {2 * _LONGEST_RECORD},"
    " store_rejects = true, rejects_table = 'rejected', rejects_scan = 'rejected_scans', rejects_limit = 0"
)
#: SQL of whether a JSON line is a record; hardly any has to be parsed twice to see it.
_IS_RECORD = (
    "case when not json_valid(line) then false when starts_with(line, '{') then true"
    " else json_type(line) = 'OBJECT' end"
)


def read(db: "DuckDBPyConnection", file: File, staged: Staged, inputs: tuple[str, ...]) -> str | None:
    """Make view ``records`` of the file's columns, its well-formed records in the file's order.

    Args:
        db: a connection to make it in.
        file: what is read.
        staged: its bytes.
        inputs: columns the mapping reads.

    Returns:
        A remark for the person on call, such as columns nobody knows; None when there is nothing to say.

    Raises:
        UnreadableError: no record can be taken.
    """
    if file.spec.format == "parquet":
        return _parquet(db, file, staged.raw, inputs)
    plain = lake.decode(staged, file.spec.encoding)
    if file.spec.format == "jsonl":
        return _json_lines(db, file, plain, inputs)
    return _csv(db, file, plain, inputs)


def check(db: "DuckDBPyConnection", file: File) -> None:
    """Read ``records`` to the end, for nothing but to see whether that can be done.

    Raises:
        UnreadableError: it cannot.
    """
    with _blame_the_file(file):
        db.execute("select count(columns(*)) from records").fetchall()


def set_aside(db: "DuckDBPyConnection", file: File) -> None:
    """Make table ``malformed`` (row_number bigint, raw_row), once ``records`` was read.

    ``row_number`` of what is no record is its line.
    """
    db.execute("create temp table malformed (row_number bigint, raw_row varchar)")
    if file.spec.format != "parquet":
        db.execute("insert into malformed select line, coalesce(any_value(csv_line), '') from rejected group by line")
    if file.spec.format == "jsonl":
        db.execute(f"insert into malformed select rowid + 1, line from lines where not ({_IS_RECORD})")


def _blame_the_file(file: File) -> AbstractContextManager[None]:
    if file.spec.format == "parquet":
        return blame(
            f"{file.path.name} is no whole Parquet file", "Ask the source to deliver it again; the next run takes it."
        )
    return blame(
        f"{file.path.name} cannot be cut into records",
        "Compare its ends of lines, delimiter and quotes with source.yaml, or ask the source to deliver it again.",
    )


def _csv(db: "DuckDBPyConnection", file: File, plain: Path, inputs: tuple[str, ...]) -> str | None:
    spec = file.spec
    header = _header(file, plain)
    remark = _compare_columns(file, header, inputs)
    columns = "{" + ", ".join(f"{literal(name)}: 'varchar'" for name in header) + "}"
    with _blame_the_file(file):
        db.execute(
            f"create temp view records as select * from read_csv("
            f"{literal(str(plain))}, columns = {columns}, header = true, strict_mode = true,"
            f" delim = {literal(spec.delimiter)}, quote = {literal(spec.quote)}, escape = {literal(spec.quote)},"
            f" {_REJECTS})"
        )
    return remark


def _header(file: File, plain: Path) -> list[str]:
    """Texts of a CSV file's first record."""
    spec = file.spec
    try:
        with plain.open(encoding="utf-8", newline="") as lines:
            header = next(csv.reader(lines, delimiter=spec.delimiter, quotechar=spec.quote or None), [])
    except csv.Error:
        raise UnreadableError(
            f"{file.path.name}: its first line is no header. Ask the source to mend it, or see delimiter and quote in"
            " source.yaml."
        ) from None
    return [name.strip() for name in header]


def _json_lines(db: "DuckDBPyConnection", file: File, plain: Path, inputs: tuple[str, ...]) -> str | None:
    remark = _compare_columns(file, list(file.spec.columns or inputs), inputs)
    structure = "{" + ", ".join(f'"{name}": "VARCHAR"' for name in inputs) + "}"
    # A line is taken whole: no text has that delimiter. strict_mode refuses mixed ends of lines.
    with _blame_the_file(file):
        db.execute(
            f"create temp table lines as select line from read_csv({literal(str(plain))}, columns = {{'line':"
            " 'varchar'}, header = false, strict_mode = false, delim = '\x01\x02\x03\x04', quote = '', escape = '',"
            f" {_REJECTS}) where line is not null"
        )
    fields = ", ".join(f"record.{identifier(name)} as {identifier(name)}" for name in inputs)
    db.execute(
        f"create temp view records as select {fields} from"
        f" (select json_transform(line, {literal(structure)}) as record from lines where {_IS_RECORD})"
    )
    return remark


def _parquet(db: "DuckDBPyConnection", file: File, raw: Path, inputs: tuple[str, ...]) -> str | None:
    path = literal(str(raw))
    with _blame_the_file(file):
        found = [str(row[0]) for row in db.execute(f"select name from parquet_schema({path}) offset 1").fetchall()]
        remark = _compare_columns(file, found, inputs)
        db.execute(f"create temp view records as select * from read_parquet({path})")
    return remark


def _compare_columns(file: File, found: list[str], inputs: tuple[str, ...]) -> str | None:
    """Complain of a missing column, remark on one nobody declared.

    Only declared names are told: a file without a header has a person's data where the names should be.
    """
    name, wanted = file.path.name, list(dict.fromkeys((*file.spec.columns, *inputs)))
    known = set(wanted if file.spec.columns else found)
    strangers = [place for place, column in enumerate(found, start=1) if column not in known]
    if len(set(found)) < len(found) or not all(found):
        raise UnreadableError(
            f"{name}: the header has a column twice or without a name; is there a header line?"
            " Ask the source to mend it."
        )
    shape = f"{len(strangers)} of {len(found)} columns nobody declared ({_places(strangers)})"
    if missing := [column for column in wanted if column not in found]:
        raise UnreadableError(
            f"{name} lacks column {', '.join(missing)}{'; is there a header line?' if missing == wanted else ''};"
            f" {shape if strangers else f'it has {len(found)} columns'}. Ask the source for the column, or mend"
            f" {file.source.mapping(file.spec).name} and source.yaml if it was renamed, and run again."
        )
    return f"{shape} and not taken; declare them in source.yaml and map them if they are wanted" if strangers else None


def _places(numbers: list[int]) -> str:
    """Columns by their numbers, of many the first."""
    return f"column {', '.join(map(str, numbers[:10]))}{', …' if len(numbers) > 10 else ''}"
