"""SQL: names and texts as every dialect used here writes them.

Here belongs the quoting of what goes into a statement and cannot be a parameter, and nothing that knows a table.
"""


def identifier(name: str) -> str:
    """A name in double quotes."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str) -> str:
    """A text in single quotes."""
    return "'" + value.replace("'", "''") + "'"
