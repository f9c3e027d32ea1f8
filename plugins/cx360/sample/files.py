"""Files of the synthetic bank: how each feed is written, byte for byte the same for the same rows.

Here belong formats and control files. What is in the rows belongs elsewhere.
"""

import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cx360.sample.bank import Slot, as_date

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Form:
    """How a feed's files are written."""

    suffix: str
    delimiter: str = ","
    encoding: str = "utf-8"
    texts: Sequence[str] = ()  # CSV columns that may need quotes
    bare: Sequence[str] = ()  # JSON fields that are numbers or true and false
    amount: str | None = None  # column the control total is of

    @property
    def has_no_header(self) -> bool:
        """Whether a file without rows would be no bytes at all."""
        return self.suffix.startswith(".jsonl")


FORMS: dict[str, Form] = {
    "parties": Form(".csv.gz", encoding="utf-8-sig", texts=("VORNAME", "NACHNAME", "STRASSE", "TELEFON", "EMAIL")),
    "accounts": Form(".csv"),
    "account_parties": Form(".csv.gz", delimiter=";"),
    "holdings": Form(".parquet"),
    "fx_rates": Form(".csv", delimiter=";"),
    "transactions": Form(".csv.zst", texts=("counterparty", "remittance_text"), amount="amt"),
    "app_events": Form(".jsonl.gz", bare=("err",)),
    "call_logs": Form(".csv", delimiter=";", encoding="latin-1", texts=("Notiz",)),
    "survey_responses": Form(".jsonl", bare=("min", "max", "high_is_good", "value")),
    "complaints": Form(".csv", delimiter=";", texts=("product", "issue", "decision", "text")),
    "risk_scores": Form(".csv", delimiter=";"),
    "outreach": Form(".jsonl.gz"),
    "points_entries": Form(".csv.gz"),
    "survey_invitations": Form(".jsonl.gz"),
    "call_legs": Form(".csv.gz", delimiter=";"),
}


def name(feed: str, slot: Slot) -> str:
    """Path of a file below the inbox: delivery day, feed, day, part."""
    part = f"_part{slot.part}" if slot.part else ""
    return f"{as_date(slot.folder)}/{feed}_{as_date(slot.day):%Y%m%d}{part}{FORMS[feed].suffix}"


def records(feed: str, table: "pa.Table") -> "pa.Array":
    """One text a row, without its line end. Rows of column ``_raw`` that are not null are taken as they are."""
    import pyarrow.compute as pc

    columns = [c for c in table.column_names if not c.startswith("_")]
    line = (
        _json_lines(table, columns, FORMS[feed])
        if "jsonl" in FORMS[feed].suffix
        else _csv_lines(table, columns, FORMS[feed])
    )
    return pc.coalesce(table["_raw"], line) if "_raw" in table.column_names else line


def _csv_lines(table: "pa.Table", columns: list[str], form: Form) -> "pa.ChunkedArray":
    import pyarrow.compute as pc

    def field(column: str) -> "pa.ChunkedArray":
        text = pc.fill_null(table[column], "")
        if column not in form.texts:
            return text
        quoted = pc.binary_join_element_wise('"', pc.replace_substring(text, '"', '""'), '"', "")
        return pc.if_else(pc.match_substring_regex(text, f'["\\n\\r{form.delimiter}]'), quoted, text)

    return pc.binary_join_element_wise(*map(field, columns), form.delimiter)


def _json_lines(table: "pa.Table", columns: list[str], form: Form) -> "pa.ChunkedArray":
    import pyarrow.compute as pc

    def field(column: str) -> "pa.ChunkedArray":
        text = table[column]
        if column in form.bare:
            return pc.binary_join_element_wise(f'"{column}":', pc.fill_null(text, "null"), "")
        for plain, escaped in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n")):
            text = pc.replace_substring(text, plain, escaped)
        text = pc.binary_join_element_wise('"', text, '"', "")
        return pc.binary_join_element_wise(f'"{column}":', pc.fill_null(text, "null"), "")

    body = pc.binary_join_element_wise(*map(field, columns), ",")
    return pc.binary_join_element_wise("{", body, "}", "")


def _bytes(feed: str, table: "pa.Table") -> bytes:
    """Content before compression: CSV with its header, or JSON Lines."""
    import pyarrow.compute as pc

    form = FORMS[feed]
    header = "" if "jsonl" in form.suffix else form.delimiter.join(c for c in table.column_names if c[0] != "_") + "\n"
    lines = pc.binary_join_element_wise(records(feed, table), "", "\n").cast("large_string")
    body = b"".join(_data(chunk) for chunk in lines.chunks)
    if form.encoding == "utf-8":
        return header.encode() + body
    return (header + body.decode()).encode(form.encoding)


def _data(chunk: "pa.Array") -> bytes:
    """The texts of an array side by side, from its buffer."""
    if not len(chunk):
        return b""
    _, offsets, data = chunk.buffers()
    ends = np.frombuffer(offsets, np.int64)[chunk.offset : chunk.offset + len(chunk) + 1]
    return bytes(memoryview(data)[ends[0] : ends[-1]])


def _parquet(table: "pa.Table", path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {
        "start_date": pa.date32(),
        "end_date": pa.date32(),
        "closed_date": pa.date32(),
        "amount": pa.decimal128(18, 2),
    }
    columns = [c for c in table.column_names if c[0] != "_"]
    typed = pa.table({c: table[c].cast(types[c]) if c in types else table[c] for c in columns})
    pq.write_table(typed, path, compression="zstd", compression_level=3)


def write(inbox: Path, feed: str, slot: Slot, table: "pa.Table") -> None:
    """Write one file and, last, its control file."""
    path = inbox / name(feed, slot)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        _parquet(table, path)
    else:
        path.write_bytes(_compressed(path.suffix, _bytes(feed, table)))
    totals: dict[str, object] = {"rows": table.num_rows}
    if FORMS[feed].amount:
        totals["amount"] = total(feed, table)
    path.with_name(path.name + ".ctl").write_text(json.dumps(totals) + "\n", encoding="ascii")


def _compressed(suffix: str, content: bytes) -> bytes:
    import pyarrow as pa

    if suffix == ".gz":
        return gzip.compress(content, compresslevel=4, mtime=0)
    if suffix == ".zst":
        return pa.Codec("zstd", compression_level=3).compress(content, asbytes=True)
    return content


def total(feed: str, table: "pa.Table") -> str:
    """Sum of all amounts that are decimal numbers, exactly, as text; malformed records have none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    text = table[FORMS[feed].amount or ""]
    if "_raw" in table.column_names:
        text = text.filter(pc.is_null(table["_raw"]))
    text = text.filter(pc.match_substring_regex(text, r"^-?\d+(\.\d+)?$"))
    exact = pc.sum(text.cast(pa.decimal128(38, 5))).as_py()
    return "0.00" if exact is None else _shortest(exact)


def _shortest(amount: Decimal) -> str:
    """Decimal text with two digits behind the point, or as many as it has."""
    cents = amount.quantize(Decimal("0.01"))
    return format(cents if cents == amount else amount.normalize(), "f")
