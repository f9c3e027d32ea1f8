"""Reading: a staged file becomes table ``records``, its records as text, and ``malformed``, what is no record.

Here belongs what differs between CSV, JSON Lines and Parquet. What the text means belongs in ``row_rules``.
"""

import csv
from typing import TYPE_CHECKING

from cx360 import lake
from cx360.lake import Staged, UnreadableError, blame
from cx360.mapping import ROW
from cx360.sources import File
from cx360.sql import identifier, literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

#: Longest record taken, in bytes; a longer one is malformed, not a reason to fail.
_LONGEST_RECORD = 8 << 20
#: How DuckDB reads lines: what is no record goes into a table instead of an error.
_REJECTS = (
    f"auto_detect = false, max_line_size = {_LONGEST_RECORD}, store_rejects = true, rejects_table = 'rejected',"
    " rejects_scan = 'rejected_scans', rejects_limit = 0"
)


def read(db: "DuckDBPyConnection", file: File, staged: Staged, inputs: tuple[str, ...]) -> str | None:
    """Make temp tables ``records`` (_row bigint, the file's columns) and ``malformed`` (row_number bigint, raw_row).

    ``_row`` counts the well-formed records from 1; ``row_number`` of a malformed CSV record is its line.

    Args:
        db: a connection to make them in.
        file: what is read.
        staged: its bytes.
        inputs: columns the mapping reads.

    Returns:
        A remark for the person on call, such as columns nobody knows; None when there is nothing to say.

    Raises:
        UnreadableError: no record can be taken.
    """
    if file.spec.format == "parquet":
        return _parquet(db, file, staged, inputs)
    lake.decode(staged, file.spec.encoding)
    if file.spec.format == "jsonl":
        return _json_lines(db, file, staged, inputs)
    return _csv(db, file, staged, inputs)


def _csv(db: "DuckDBPyConnection", file: File, staged: Staged, inputs: tuple[str, ...]) -> str | None:
    spec = file.spec
    header = _header(file, staged)
    remark = _compare_columns(file, header, inputs)
    columns = "{" + ", ".join(f"{literal(name)}: 'varchar'" for name in header) + "}"
    _take_lines(
        db,
        file,
        f"create temp table records as select row_number() over () as {ROW}, * from read_csv("
        f"{literal(str(staged.plain))}, columns = {columns}, header = true, strict_mode = true,"
        f" delim = {literal(spec.delimiter)}, quote = {literal(spec.quote)}, escape = {literal(spec.quote)},"
        f" {_REJECTS})",
    )
    return remark


def _header(file: File, staged: Staged) -> list[str]:
    """Texts of a CSV file's first record."""
    spec = file.spec
    try:
        with staged.plain.open(encoding="utf-8", newline="") as lines:
            header = next(csv.reader(lines, delimiter=spec.delimiter, quotechar=spec.quote or None), [])
    except csv.Error:
        raise UnreadableError(
            f"{file.path.name}: its first line is no header. Ask the source to mend it, or see delimiter and quote in"
            " source.yaml."
        ) from None
    return [name.strip() for name in header]


def _json_lines(db: "DuckDBPyConnection", file: File, staged: Staged, inputs: tuple[str, ...]) -> str | None:
    remark = _compare_columns(file, list(file.spec.columns or inputs), inputs)
    structure = "{" + ", ".join(f'"{name}": "VARCHAR"' for name in inputs) + "}"
    # A line is taken whole: no text has that delimiter. strict_mode refuses mixed ends of lines.
    _take_lines(
        db,
        file,
        f"create temp table lines as select row_number() over () as {ROW}, line from read_csv("
        f"{literal(str(staged.plain))}, columns = {{'line': 'varchar'}}, header = false, strict_mode = false,"
        f" delim = '\x01\x02\x03\x04', quote = '', escape = '', {_REJECTS}) where line is not null",
    )
    is_record = "case when json_valid(line) then json_type(line) = 'OBJECT' else false end"
    fields = ", ".join(f"record.{identifier(name)} as {identifier(name)}" for name in inputs)
    db.execute(
        f"create temp table records as select {ROW}, {fields} from (select {ROW},"
        f" json_transform(line, {literal(structure)}) as record from lines where {is_record})"
    )
    db.execute(f"insert into malformed select {ROW}, line from lines where not ({is_record})")
    return remark


def _take_lines(db: "DuckDBPyConnection", file: File, statement: str) -> None:
    """Run a statement that reads lines, and make table ``malformed`` of those that are no records."""
    with blame(
        f"{file.path.name} cannot be cut into records",
        "Compare its ends of lines, delimiter and quotes with source.yaml, or ask the source to deliver it again.",
    ):
        db.execute(statement)
    db.execute(
        "create temp table malformed as select line::bigint as row_number,"
        " coalesce(any_value(csv_line), '') as raw_row from rejected group by line"
    )


def _parquet(db: "DuckDBPyConnection", file: File, staged: Staged, inputs: tuple[str, ...]) -> str | None:
    path = literal(str(staged.raw))
    with blame(
        f"{file.path.name} is no whole Parquet file", "Ask the source to deliver it again; the next run takes it."
    ):
        found = [str(row[0]) for row in db.execute(f"select name from parquet_schema({path}) offset 1").fetchall()]
        remark = _compare_columns(file, found, inputs)
        db.execute(f"create temp table records as select row_number() over () as {ROW}, * from read_parquet({path})")
    db.execute("create temp table malformed (row_number bigint, raw_row varchar)")
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
