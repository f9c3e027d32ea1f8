"""A bank of a few rows for tests: its source folder, its inbox, and files written by hand."""

import gzip
import json
from pathlib import Path

from cx360.settings import Settings

DAY = "2026-03-01"
HEADER = "id;account;day;amount;cur;dc;what;text"
GOOD = (
    "t1;a1;01.03.2026;1.234,50;EUR;C;payment;for Ada\n"
    "t2;a1;02.03.2026;20,00;EUR;D;fee;\n"
    't3;a2;02.03.2026;7,25;USD;D;payment;"a; b ""c"" "\n'
)

SOURCE = """
source: core
description: A bank of a few rows.
bank: {timezone: Europe/Berlin, reporting_currency: EUR}
defaults: {delimiter: ";", decimal_separator: ",", thousands_separator: ".", date_formats: ["%d.%m.%Y"],
           timestamp_formats: ["%d.%m.%Y %H:%M:%S"], phone_region: DE}
files:
  - {feed: transactions, pattern: "{delivery_day}/tx*.csv", columns: [id, account, day, amount, cur, dc, what, text]}
  - {feed: transactions, pattern: "{delivery_day}/tx*.csv.gz"}
  - {feed: transactions, pattern: "{delivery_day}/tx*.csv.zst"}
  - {feed: transactions, pattern: "{delivery_day}/tx*.latin1.txt", encoding: latin-1}
  - {feed: transactions, pattern: "{delivery_day}/tx*.jsonl", format: jsonl}
  - {feed: transactions, pattern: "{delivery_day}/tx*.parquet", format: parquet}
  - {feed: parties, pattern: "{delivery_day}/people*.csv"}
  - {feed: call_logs, pattern: "{delivery_day}/calls*.csv"}
  - {feed: complaints, pattern: "{delivery_day}/complaints*.csv"}
"""

MAPPINGS = {
    "transactions": """
        select
            id as transaction_id, account as account_id, day as booked_date, amount, cur as currency,
            case dc when 'C' then 'credit' when 'D' then 'debit' else dc end as direction,
            'booked' as status, what as category, text as description
        from raw""",
    "parties": """
        select id as party_id, 'person' as party_type, name as full_name, born as birth_date, phone, mail as email,
            street as address, 'active' as status, changed as updated_at
        from raw""",
    "call_logs": """
        select id as call_id, began as started_at, ended as ended_at, phone, queue, 'inbound' as direction,
            'handled' as outcome, said as notes
        from raw""",
    "complaints": """
        select id as complaint_id, changed as received_at, 'open' as status, said as text, changed as updated_at
        from raw""",
}


def settle(settings: Settings) -> Settings:
    """The deployment with this bank's source, below its home."""
    folder = settings.home / "core"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "source.yaml").write_text(SOURCE)
    for feed, sql in MAPPINGS.items():
        (folder / f"{feed}.sql").write_text(sql)
    (settings.home / "inbox").mkdir(exist_ok=True)
    return settings.model_copy(update={"sources": str(folder), "inbox": settings.home / "inbox"})


def deliver(settings: Settings, name: str, content: str | bytes, day: str = DAY) -> Path:
    """Put a file into the inbox; ``.gz`` and ``.zst`` names are compressed."""
    path = settings.inbox_folder / day / name
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content.encode() if isinstance(content, str) else content
    if isinstance(content, str) and name.endswith(".gz"):
        data = gzip.compress(data, mtime=0)
    if isinstance(content, str) and name.endswith(".zst"):
        import pyarrow as pa

        data = pa.Codec("zstd").compress(data).to_pybytes()
    path.write_bytes(data)
    return path


def transactions(rows: str = GOOD) -> str:
    """A transactions file in this bank's CSV."""
    return f"{HEADER}\n{rows}"


def as_json_lines(rows: list[dict[str, str | None]]) -> str:
    """Records as JSON Lines."""
    return "".join(json.dumps(row) + "\n" for row in rows)
