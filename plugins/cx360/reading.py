"""Reading: a staged file becomes table ``records``, its records as text, and ``malformed``, what is no record.

Here belongs what differs between CSV, JSON Lines and Parquet. What the text means belongs in ``row_rules``.
"""

import csv
from typing import TYPE_CHECKING

from cx360 import lake
from cx360.lake import Staged, UnreadableError
from cx360.mapping import ROW
from cx360.row_rules import identifier, literal
from cx360.sources import File

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

#: Longest record taken, in bytes; a longer one is malformed, not a reason to fail.
_LONGEST_RECORD = 8 << 20


def read(db: "DuckDBPyConnection", file: File, staged: Staged, inputs: tuple[str, ...]) -> str | None:
    """Make temp tables ``records`` (_row bigint, the file's columns) and ``malformed`` (row_number, raw_row).

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
    with staged.plain.open(encoding="utf-8", newline="") as lines:
        header = next(csv.reader(lines, delimiter=spec.delimiter, quotechar=spec.quote or None), [])
    header = [name.strip() for name in header]
    remark = _compare_columns(file, header, inputs)
    columns = "{" + ", ".join(f"{literal(name)}: 'varchar'" for name in header) + "}"
    db.execute(
        f"create temp table records as select row_number() over () as {ROW}, * from read_csv("
        f"{literal(str(staged.plain))}, columns = {columns}, auto_detect = false, header = true, strict_mode = true,"
        f" delim = {literal(spec.delimiter)}, quote = {literal(spec.quote)}, escape = {literal(spec.quote)},"
        f" max_line_size = {_LONGEST_RECORD}, store_rejects = true, rejects_table = 'rejected',"
        f" rejects_scan = 'rejected_scans', rejects_limit = 0)"
    )
    db.execute(
        "create temp table malformed as select line::bigint as row_number,"
        " coalesce(any_value(csv_line), '') as raw_row from rejected group by line"
    )
    return remark


def _json_lines(db: "DuckDBPyConnection", file: File, staged: Staged, inputs: tuple[str, ...]) -> str | None:
    remark = _compare_columns(file, list(file.spec.columns or inputs), inputs)
    structure = "{" + ", ".join(f'"{name}": "VARCHAR"' for name in inputs) + "}"
    db.execute(
        f"create temp table lines as select row_number() over () as {ROW}, line from read_csv("
        f"{literal(str(staged.plain))}, columns = {{'line': 'varchar'}}, auto_detect = false, header = false,"
        f" delim = chr(1), quote = '', escape = '', max_line_size = {_LONGEST_RECORD}) where line is not null"
    )
    is_record = "case when json_valid(line) then json_type(line) = 'OBJECT' else false end"
    fields = ", ".join(f"record.{identifier(name)} as {identifier(name)}" for name in inputs)
    db.execute(
        f"create temp table records as select {ROW}, {fields} from (select {ROW},"
        f" json_transform(line, {literal(structure)}) as record from lines where {is_record})"
    )
    db.execute(
        f"create temp table malformed as select {ROW} as row_number, line as raw_row from lines where not ({is_record})"
    )
    return remark


def _parquet(db: "DuckDBPyConnection", file: File, staged: Staged, inputs: tuple[str, ...]) -> str | None:
    import duckdb

    path = literal(str(staged.raw))
    try:
        found = [str(row[0]) for row in db.execute(f"select name from parquet_schema({path}) offset 1").fetchall()]
        remark = _compare_columns(file, found, inputs)
        db.execute(f"create temp table records as select row_number() over () as {ROW}, * from read_parquet({path})")
    except duckdb.Error as error:
        raise UnreadableError(
            f"{file.path.name} is no whole Parquet file ({type(error).__name__})."
            " Ask the source to deliver it again; the next run takes it."
        ) from None
    db.execute("create temp table malformed (row_number bigint, raw_row varchar)")
    return remark


def _compare_columns(file: File, found: list[str], inputs: tuple[str, ...]) -> str | None:
    """Complain of a missing column, remark on one nobody declared."""
    name = file.path.name
    if len(set(found)) < len(found) or not all(found):
        raise UnreadableError(f"{name}: the header has a column twice or without a name. Ask the source to mend it.")
    if missing := [c for c in dict.fromkeys((*file.spec.columns, *inputs)) if c not in found]:
        raise UnreadableError(
            f"{name} lacks column {', '.join(missing)}; found {', '.join(found)}. Ask the source for the column, or"
            f" mend {file.source.mapping(file.spec).name} and source.yaml if it was renamed, and run again."
        )
    declared = set(file.spec.columns or found)
    if extra := [c for c in found if c not in declared]:
        return f"column {', '.join(extra)} is new and not taken; declare it in source.yaml and map it if it is wanted"
    return None
