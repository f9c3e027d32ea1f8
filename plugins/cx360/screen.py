"""Screen: how figures are shown to a person, and to a program.

Here belongs the look of tables and JSON of the command line. What is told belongs in the module that tells it.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, is_dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

#: Columns of a screen that is none, such as a pipe or a log.
_WIDTH = 180


def console() -> Console:
    """Standard output; wide enough for tables where it is no terminal."""
    found = Console(highlight=False, emoji=False)  # a token has :email: in it
    return found if found.is_terminal else Console(width=_WIDTH, highlight=False, emoji=False)


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Table:
    """Rows under their headings; figures to the right, null as ``-``."""
    rows = list(rows)
    made = Table(box=None, header_style="dim", pad_edge=False)
    for place, column in enumerate(columns):
        is_figure = any(isinstance(row[place], int | Decimal) for row in rows)
        made.add_column(column, justify="right" if is_figure else "left", overflow="fold")
    for row in rows:
        made.add_row(*map(_cell, row))
    return made


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return f"{value:,}" if isinstance(value, int | Decimal) else escape(str(value))


def as_json(value: Any) -> str:
    """JSON of dataclasses and plain values; days and moments as ISO 8601, null where there is nothing."""
    return json.dumps(value, default=_plain, indent=1, ensure_ascii=False)


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
