"""Mapping: a source's select, checked to be what it must be, one row in and one row out.

Here belongs what can be said of the select's text; running it belongs in ``landing``.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cx360.contracts import Contract

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

#: A record as its file has it, all columns in one, carried beside what a mapping makes of them.
RECORD = "_record"


class MappingError(ValueError):
    """A mapping that cannot be used; the message says why."""


@dataclass(frozen=True)
class Mapping:
    """A mapping select, ready to run over a relation ``raw`` that has ``_record`` and the file's columns."""

    sql: str  # with _record as first column
    outputs: tuple[str, ...]  # contract columns it gives
    inputs: tuple[str, ...]  # columns of the file it reads, in order of mention


def parse(connection: "DuckDBPyConnection", sql: str, contract: Contract) -> Mapping:
    """Check a mapping select against its contract and carry the record through it.

    Raises:
        MappingError: it is not one plain select over ``raw``, or its columns are not the contract's.
    """
    tree: dict[str, Any] = json.loads(connection.execute("select json_serialize_sql($1)", [sql]).fetchall()[0][0])
    if tree.get("error"):
        raise MappingError(f"not valid SQL: {tree.get('error_message')}")
    statements = tree["statements"]
    node = statements[0]["node"]
    if len(statements) != 1 or node["type"] != "SELECT_NODE" or node["cte_map"]["map"]:
        raise MappingError("it must be one plain select from raw")
    if node["from_table"].get("table_name") != "raw" or any(
        node[clause] for clause in ("modifiers", "where_clause", "group_expressions", "having", "qualify", "sample")
    ):
        raise MappingError("it must select from raw alone, without where, join, group by, order by or limit")
    outputs = tuple(_name(item) for item in node["select_list"])
    known = {c.name for c in contract.columns}
    if unknown := sorted(set(outputs) - known):
        raise MappingError(f"the contract has no column {', '.join(unknown)}")
    needed = {c.name for c in contract.columns if c.required} - (set(contract.key) if contract.derived_key else set())
    if absent := sorted(needed - set(outputs)):
        raise MappingError(f"it does not give {', '.join(absent)}, which the contract requires")
    inputs = tuple(dict.fromkeys(_columns(node["select_list"])))
    node["select_list"].insert(
        0,
        {
            "class": "COLUMN_REF",
            "type": "COLUMN_REF",
            "alias": "",
            "query_location": 0,
            "column_names": [RECORD],
        },
    )
    carried = connection.execute("select json_deserialize_sql($1::json)", [json.dumps(tree)]).fetchall()[0][0]
    return Mapping(str(carried), outputs, inputs)


def _name(item: dict[str, Any]) -> str:
    if item.get("class") == "STAR":
        raise MappingError("name the columns instead of *")
    if item.get("alias"):
        return str(item["alias"])
    if item.get("class") == "COLUMN_REF":
        return str(item["column_names"][-1])
    raise MappingError("every expression needs a name (as …)")


def _columns(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if node.get("class") == "COLUMN_REF":
            yield str(node["column_names"][-1])
        for value in node.values():
            yield from _columns(value)
    elif isinstance(node, list):
        for value in node:
            yield from _columns(value)
