"""``cx360 query``: one select on the published tables, as ``cx360_bi``.

Here belongs running it and printing what it returns. Options and help of the command line belong in ``cli``.
"""

import csv
import json
import sys
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, TextIO

from cx360 import ledger, postgres
from cx360.settings import Settings

if TYPE_CHECKING:
    import psycopg

Format = Literal["table", "csv", "json"]

#: A question by hand that takes longer was probably not meant so.
_TIMEOUT = "5min"

#: More rows than this nobody reads in a terminal; csv and json print all.
_TABLE_ROWS = 200


def run(settings: Settings, sql: str, format: Format = "table", out: TextIO | None = None) -> int:
    """Run one statement, reading only, and print its rows to ``out`` (standard output).

    ``-`` reads the statement from standard input. Starts the embedded server when it is down.

    Returns:
        0, or 2 when it could not be run; the reason is then on standard error.
    """
    import psycopg

    out = out or sys.stdout
    statement = (sys.stdin.read() if sql.strip() == "-" else sql).strip().rstrip(";")
    if not statement:
        return _refuse('there is no SQL: cx360 query "select …", or - to read it from standard input')
    try:
        if settings.database_url is None:
            ledger.engine(settings)  # on a fresh home the schemas are made first, so that the answer is 'no rows'
        with psycopg.connect(postgres.dsn(settings, "cx360_bi")) as connection:
            connection.read_only = True
            connection.execute(f"set local statement_timeout = '{_TIMEOUT}'")
            with connection.cursor() as cursor:
                cursor.execute(statement, prepare=True)  # prepared: one statement only
                _print(cursor, format, out)
    except psycopg.OperationalError as e:
        if e.sqlstate is None:
            return _refuse(_login_hint(settings, e))
        return _refuse(_explained(settings, e))
    except psycopg.Error as e:
        return _refuse(_explained(settings, e))
    except postgres.PostgresError as e:
        return _refuse(str(e))
    return 0


def _refuse(reason: str) -> int:
    sys.stderr.write(f"cx360 query: {reason}\n")
    return 2


def _login_hint(settings: Settings, error: "psycopg.Error") -> str:
    said = str(error).strip().splitlines()[-1]
    if settings.database_url is None:
        return f"the embedded PostgreSQL cannot be reached: {said}"
    return (
        f"cannot log in as cx360_bi: {said}. If that role existed before cx360, put its password into the file "
        "keys/postgres_cx360_bi below CX360_HOME"
    )


def _explained(settings: Settings, error: "psycopg.Error") -> str:
    """What PostgreSQL said, where, and what may help."""
    lines = [(error.diag.message_primary or str(error)).strip()]
    if error.diag.statement_position:
        lines[0] += f" (at character {error.diag.statement_position})"
    if error.diag.message_hint:
        lines.append(error.diag.message_hint)
    if error.sqlstate in ("42P01", "3F000"):  # no such table, no such schema
        lines.append(_readable(settings))
    if error.sqlstate == "42501":
        lines.append("cx360_bi reads the schemas profile, cx and ops, and its own views in analyst.")
    if error.sqlstate == "57014":
        lines.append(f"Statements end after {_TIMEOUT}.")
    return " ".join(lines)


def _readable(settings: Settings) -> str:
    """Which tables there are to read."""
    import psycopg

    with psycopg.connect(postgres.dsn(settings, "cx360_bi")) as connection:
        found = connection.execute(
            "select table_schema || '.' || table_name from information_schema.tables"
            " where table_schema in ('profile', 'cx', 'ops', 'analyst') and table_name <> 'alembic_version' order by 1"
        ).fetchall()
    return f"Tables to read: {', '.join(name for (name,) in found)}"


def _print(cursor: "psycopg.Cursor[Any]", format: Format, out: TextIO) -> None:
    names = [column.name for column in cursor.description or ()]
    if format == "csv":
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(names)
        writer.writerows(map(_plain, cursor))
    elif format == "json":
        _print_json(names, cursor, out)
    else:
        _print_table(names, cursor.fetchmany(_TABLE_ROWS), cursor.rowcount, out)


def _print_json(names: Sequence[str], rows: Iterable[Sequence[Any]], out: TextIO) -> None:
    """One array, one object per row and line."""
    out.write("[")
    for number, row in enumerate(rows):
        record = dict(zip(names, row, strict=True))
        out.write((",\n " if number else "\n ") + json.dumps(record, default=_json, ensure_ascii=False))
    out.write("\n]\n")


def _print_table(names: Sequence[str], rows: Sequence[Sequence[Any]], total: int, out: TextIO) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table()
    for name in names:
        table.add_column(name, overflow="fold")  # what an ellipsis stands for cannot be copied
    for row in rows:
        table.add_row(*(Text("" if value is None else value) for value in _plain(row)))
    console = Console(file=out, width=None if out.isatty() else max(80, 24 * len(names)))
    console.print(table)
    more = f", the first {len(rows)} shown; --format csv prints all" if total > len(rows) else ""
    console.print(f"{total} row{'' if total == 1 else 's'}{more}", highlight=False)


def _plain(row: Sequence[Any]) -> list[Any]:
    return [_text(value) for value in row]


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (date, datetime, time)):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, (dict, list)):
        return json.dumps(value, default=_json, ensure_ascii=False)
    return str(value)


def _json(value: Any) -> Any:
    """JSON of what JSON does not know: a decimal is a number where that loses nothing."""
    if isinstance(value, Decimal) and value.is_finite():
        near = int(value) if value == value.to_integral_value() else float(value)
        return near if Decimal(str(near)) == value else str(value)
    return _text(value)
