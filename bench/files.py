"""Files the bench reads: made once per size, the same bytes for the same size, kept below the bench's folder.

Here belong a large transactions file, a synthetic bank, and its relations as rivals read them.
"""

import re
from pathlib import Path

import duckdb

from cx360 import sample

BENCH = Path(__file__).parent

#: What ``customers.sql`` reads.
RELATIONS = ("account_parties", "transactions", "app_events", "call_logs", "survey_responses", "complaints")

#: Of the dirty rows, by ``i % 6``: no amount, no day, no such direction, too few fields, a row twice, a key twice.
_DIRTY = "i % 100 = 50"
_KIND = "i // 100 % 6"


def transactions(folder: Path, rows: int, is_dirty: bool) -> Path:
    """A CSV file of ``rows`` rows of 14 columns, about 125 bytes each, in no order of keys.

    Args:
        folder: to make it in, unless it is there.
        rows: number of records, at least 1.
        is_dirty: whether one row of a hundred has a fault, of six kinds in turn.
    """
    path = folder / f"transactions_{rows}_{'dirty' if is_dirty else 'clean'}.csv"
    if path.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".part")
    with duckdb.connect() as db:
        db.execute("set TimeZone = 'UTC'")
        db.execute(
            f"copy ({_select(rows, is_dirty)}) to '{fresh}' (format csv, header false, quote '', delimiter '\x01')"
        )
    fresh.rename(path)
    return path


def bank(folder: Path, customers: int, days: int) -> Path:
    """A synthetic bank: folder ``inbox`` with a folder per delivery day."""
    path = folder / f"bank_{customers}_{days}"
    if not path.exists():
        fresh = path.with_suffix(".part")
        sample.generate(customers, days, seed=1, out=fresh)
        fresh.rename(path)
    return path


def parquet(bank: Path) -> Path:
    """A bank's relations as Parquet files, one each."""
    path = bank.with_suffix(".parquet")
    if not path.exists():
        fresh = path.with_suffix(".part")
        fresh.mkdir()
        with duckdb.connect() as db:
            db.execute(views(bank))
            for name in RELATIONS:
                db.execute(f"copy {name} to '{fresh}/{name}.parquet' (format parquet, compression zstd)")
        fresh.rename(path)
    return path


def views(bank: Path, day: str = "*") -> str:
    """Statements that show a bank's files as relations.

    Args:
        bank: of ``bank``.
        day: the delivery day whose files to show; a relation of which none came is empty.
    """
    statements = []
    for statement in (BENCH / "customers_files.sql").read_text().split(";\n"):
        (name,) = re.findall(r"\$inbox/(\S+?)'", statement)
        came = any((bank / "inbox").glob(f"{day}/{name}"))
        shown = statement.replace("$inbox/", f"{bank}/inbox/{day if came else '*'}/")
        statements.append(shown if came else f"{shown} limit 0")
    return ";\n".join(statements)


def _select(rows: int, is_dirty: bool) -> str:
    """Select of the file's lines, the header first, as texts."""
    names = (
        "txn_ref,acct,book_date,entry_ts,amt,ccy,dc,state,purpose_code,chan,counterparty,balance,remittance_text,rev_no"
    )
    good = f"concat_ws(',', {names})"
    line = good
    if is_dirty:
        line = f"""case when not ({_DIRTY}) then {good} else case {_KIND}
            when 0 then replace({good}, amt || ',EUR', 'n/a,EUR')
            when 1 then replace({good}, book_date || ',', ',')
            when 2 then replace({good}, 'EUR,' || dc, 'EUR,?')
            when 3 then txn_ref || ',' || acct
            when 4 then {good} || chr(10) || {good}
            else {good} || chr(10) || replace({good}, amt || ',EUR', '0.01,EUR') end end"""
    step = _coprime(rows)
    return f"""
        select '{names}' as line
        union all
        (
            with numbers as (select range as i, (hash(range, 7) >> 2)::bigint as h from range({rows})),
            fields as (
                select
                    i,
                    format('T{{:010d}}', i * {step} % {rows}) as txn_ref,
                    (4000000000 + h % 200000)::varchar as acct,
                    strftime(date '2026-01-01' + (i * 90 // {rows})::int, '%Y-%m-%d') as book_date,
                    strftime(timestamp '2026-01-01' + to_seconds(i * 86400 * 90 // {rows}), '%Y-%m-%dT%H:%M:%S')
                        as entry_ts,
                    ((h >> 8) % 50000 / 100)::decimal(18, 2)::varchar as amt,
                    'EUR' as ccy,
                    case when h % 5 = 0 then 'C' else 'D' end as dc,
                    case when h % 50 = 0 then 'P' else 'B' end as state,
                    ['POS', 'ATM', 'TRF', 'STO', 'FEE', 'SAL'][1 + (h >> 16) % 6] as purpose_code,
                    ['POS', 'WEB', 'APP', 'ATM', 'SYS'][1 + (h >> 20) % 5] as chan,
                    case when (h >> 24) % 10 < 7 then 'Kaufhaus ' || (h >> 30) % 50000 else '' end as counterparty,
                    ((h >> 12) % 2000000 / 100)::decimal(18, 2)::varchar as balance,
                    'Kartenzahlung ' || (h >> 32) % 1000000 || ' Folge ' || h % 4 as remittance_text,
                    '1' as rev_no
                from numbers
            )
            select {line} as line from fields order by i
        )
    """


def _coprime(rows: int) -> int:
    """A factor that visits every number below ``rows`` once."""
    from math import gcd

    return next(step for step in range(7_919_333, 7_919_333 + rows + 2) if gcd(step, rows) == 1)
