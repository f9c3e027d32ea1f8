"""docs/requirements.csv: what it names is there. That its tests ran, the session proves (tests/requirements_plugin)."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest
import typer
import yaml

from cx360 import cli, ledger
from cx360.settings import PROJECT
from tests import requirements_plugin

ROWS = requirements_plugin.read()


@cache
def relations() -> dict[str, set[str]]:
    """Columns by relation: dbt's models, what the step of identity writes, and the tables of ops."""
    found: dict[str, set[str]] = {}
    for path in sorted((PROJECT / "dbt_project" / "models").rglob("*.yml")):
        described = yaml.safe_load(path.read_text(encoding="utf-8"))
        for model in described.get("models") or ():
            found[model["name"]] = {column["name"] for column in model.get("columns") or ()}
        for source in described.get("sources") or ():
            for table in source["tables"]:
                found[f"{source['name']}.{table['name']}"] = {column["name"] for column in table.get("columns") or ()}
    for table in ledger.Base.metadata.tables.values():
        found[f"ops.{table.name}"] = {column.name for column in table.columns}
    return found


def is_there(thing: str) -> bool:
    """Whether a command, a verb of make, a DAG or a relation's column exists."""
    kind, _, name = thing.partition(" ")
    if kind == "cx360":
        command = typer.main.get_command(cli.app)
        for word in name.split():
            command = getattr(command, "commands", {}).get(word)
        return command is not None
    if kind == "make":
        return bool(re.search(rf"^{re.escape(name)}:.*## ", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    if kind == "dag":
        return name in ("deliveries", "profile")
    relation, _, column = thing.rpartition(".")
    return column in relations().get(relation, ())


def named_tests(file: Path) -> set[str]:
    """Names of the tests in a file, those of a class as Class::test."""
    found = set()
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}::{each.name}" for each in node.body if isinstance(each, ast.FunctionDef)}
    return {name for name in found if name.split("::")[-1].startswith("test_")}


def test_rows_are_whole_and_in_order():
    assert [list(row) for row in ROWS] == [["id", "delivers", "test"]] * len(ROWS)
    assert [row for row in ROWS if not re.fullmatch(r"[A-Z]\d{1,2}", row["id"])] == []
    written = [(row["id"], row["delivers"], row["test"]) for row in ROWS]
    assert len(written) == len(set(written))


def test_everything_delivered_exists():
    assert sorted({row["delivers"] for row in ROWS if not is_there(row["delivers"])}) == []


def test_every_named_test_exists():
    missing = []
    for name in sorted({row["test"] for row in ROWS}):
        file, _, test = name.partition("::")
        if not (PROJECT / file).is_file() or test not in named_tests(PROJECT / file):
            missing.append(name)
    assert missing == []


@pytest.mark.parametrize(
    "thing", ["cx360 nothing", "make nothing", "dag nothing", "customer_profile.nothing", "ops.x.y"]
)
def test_what_is_not_there_is_found_out(thing):
    assert not is_there(thing)


def test_a_named_test_must_run_and_pass(monkeypatch):
    monkeypatch.setattr(
        requirements_plugin,
        "read",
        lambda: [{"id": "Z1", "test": name} for name in ("a::t", "b::t", "c::t", "d::t")],
    )
    outcomes = {"a::t": {"passed"}, "b::t": {"passed", "failed"}}
    assert requirements_plugin.unproven(outcomes, left_out={"d::t"}) == {"b::t": "Z1", "c::t": "Z1"}
