"""Origins: which feeds, models and rules each column of ``customer_profile`` comes from.

Here belongs what is read off the SQL that dbt compiles: ``dbt_project/seeds/profile_column_origins.csv``, which
``profile.profile_columns`` publishes. ``python -m cx360.origins`` writes it; a test fails when it is not what it would
write. What a column means is in its YAML, which rule decided a value of a party record in ``profile_attributes``.

A column comes from what its expression names and from what decides which rows are there: conditions, groups, inner
joins. Two things end the way:

* A left join brings columns, not rows, and so does a cross join with one row: who takes nothing from that table does
  not depend on it. It is joined by its grain, which tests hold.
* Identity says whose a row is, not what it says. Only columns that come from nothing else name what identity is
  resolved from.
"""

import csv
import io
import json
import os
import tempfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from cx360.contracts import FEEDS
from cx360.pipeline import EVIDENCE
from cx360.settings import PROJECT, Settings

if TYPE_CHECKING:
    from sqlglot import exp
    from sqlglot.optimizer.scope import Scope

DBT_PROJECT = PROJECT / "dbt_project"
SEED = DBT_PROJECT / "seeds" / "profile_column_origins.csv"

#: Published tables that lie beside the way of a column, and show rows it comes from: of events, of who is whom, and of
#: who was placed in which segment.
EVENTS, IDENTIFIERS, MEMBERSHIPS = "customer_timeline", "customer_identifiers", "segment_membership"
_PLACED = "int_segments__placed"

#: One column of a node of dbt's; None for which rows it has.
_Read = tuple[str, str | None]


def compiled(folder: Path) -> dict[str, Any]:
    """The manifest of dbt with the SQL of every model, as a first run on DuckDB has it.

    Args:
        folder: an empty one, for the warehouse of the seeds that models are written by.
    """
    from dbt.cli.main import dbtRunner

    from cx360 import engines, warehouse

    settings = Settings(home=folder, engine="duckdb")
    settings.warehouse.parent.mkdir(parents=True)
    with engines.open_warehouse(settings) as db:
        db.write("raw.run_scope", warehouse.kept_schema("run_scope").empty_table())
    options = ["--select", "+path:models/profile", "--target", "duckdb"]
    options += ["--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT)]
    options += ["--target-path", str(folder / "target"), "--log-path", str(folder / "logs")]
    for command in ("seed", "compile"):
        with engines.of(settings).dbt(settings) as environment:
            os.environ |= environment
            done = dbtRunner().invoke(["--quiet", command, *options])
        if not done.success:
            raise warehouse.DbtFailed(f"dbt could not {command}: {done.exception}. Its log is in {folder / 'logs'}.")
    found: dict[str, Any] = json.loads((folder / "target" / "manifest.json").read_text())
    return found


class Lineage:
    """What columns of dbt's models come from, as unique ids of nodes.

    Args:
        manifest: dbt's, with compiled SQL.
    """

    def __init__(self, manifest: dict[str, Any]) -> None:
        self.nodes: dict[str, dict[str, Any]] = manifest["nodes"] | manifest["sources"]
        self._of_relation = {
            (node["schema"], node.get("alias") or node.get("identifier")): unique_id
            for unique_id, node in self.nodes.items()
            if node["resource_type"] in ("model", "seed", "source")
        }
        # each is asked for many times
        self.upstream = cache(self._upstream)
        self.comes_from = cache(self._comes_from)
        self._scope = cache(self._parse)
        self._reads = cache(self._read)

    def columns(self, unique_id: str) -> list[str]:
        """Names of a node's columns, in order."""
        node = self.nodes[unique_id]
        if node["resource_type"] == "source":
            return list(node["columns"])
        if node["resource_type"] == "seed":
            with (DBT_PROJECT / node["original_file_path"]).open(newline="", encoding="utf-8") as lines:
                return next(csv.reader(lines))
        return _query(self._scope(unique_id)).named_selects

    def _upstream(self, unique_id: str) -> frozenset[str]:
        """A node and all it is built from; a feed's staging stands for its feeds."""
        parents = self.nodes[unique_id].get("depends_on", {}).get("nodes", [])
        if self._is_in("staging", unique_id):
            return frozenset({unique_id, *(each for each in parents if self.nodes[each]["name"] in FEEDS)})
        return frozenset({unique_id}).union(*(self.upstream(parent) for parent in parents))

    def expression(self, unique_id: str, column: str) -> tuple["exp.Expr", "Scope"]:
        """How a model's last named step makes a column, and that step."""
        last = self._scope(unique_id).cte_scopes[-1]
        return _selected(_query(last), column), last

    def _comes_from(self, unique_id: str, column: str | None) -> frozenset[str]:
        """A node and all that a column of it comes from."""
        if self._is_in("staging", unique_id):
            return self.upstream(unique_id)
        if self._is_in("identity", unique_id) or not unique_id.startswith("model."):
            return frozenset({unique_id})
        reads = self._reads(self._scope(unique_id), column)
        return frozenset({unique_id}) | self._written_by(unique_id) | self.all_of(reads)

    def all_of(self, reads: Iterable[_Read]) -> frozenset[str]:
        """All that some columns come from."""
        return frozenset().union(*(self.comes_from(*read) for read in reads))

    def reads_of(self, expression: "exp.Expr", scope: "Scope") -> set[_Read]:
        """Columns of tables behind the columns an expression of a step names."""
        from sqlglot import exp

        return {read for each in expression.find_all(exp.Column) for read in self._behind(each, scope)}

    def _is_in(self, room: str, unique_id: str) -> bool:
        return unique_id.startswith("model.") and self.nodes[unique_id]["fqn"][1] == room

    def _written_by(self, unique_id: str) -> frozenset[str]:
        """Seeds that a model's macros read to write its SQL: it does not name them."""
        from sqlglot import exp

        tables = self._scope(unique_id).expression.find_all(exp.Table)
        named = {self._of_relation.get((table.db, table.name)) for table in tables}
        parents = self.nodes[unique_id]["depends_on"]["nodes"]
        return frozenset(each for each in parents if each.startswith("seed.") and each not in named)

    def _parse(self, unique_id: str) -> "Scope":
        """A model's SQL, its stars written out and its columns told by table."""
        from sqlglot import exp, parse_one
        from sqlglot.optimizer.qualify import qualify
        from sqlglot.optimizer.scope import build_scope

        parsed = parse_one(self.nodes[unique_id]["compiled_code"], dialect="duckdb")
        schema: dict[str, Any] = {}
        for table in parsed.find_all(exp.Table):
            if table.db:
                columns = self.columns(self._of_relation[table.db, table.name])
                of_schema = schema.setdefault(table.catalog, {}).setdefault(table.db, {})
                of_schema[table.name] = dict.fromkeys(columns, "unknown")
        scope = build_scope(qualify(parsed, schema=schema, dialect="duckdb", quote_identifiers=False))
        if scope is None:
            raise ValueError(f"{unique_id} is no select")
        return scope

    def _read(self, scope: "Scope", column: str | None) -> frozenset[_Read]:
        """Columns of tables behind a column of a select, and behind which rows it has."""
        from sqlglot import exp

        if isinstance(scope.expression, exp.SetOperation):
            return self._reads_of_branches(scope, column)
        select = _query(scope)
        joins = {join.alias_or_name: join for join in select.args.get("joins") or ()}
        parts = [select.args[name] for name in ("where", "group", "having", "qualify") if select.args.get(name)]
        parts += select.selects if select.args.get("distinct") else []
        parts += [_selected(select, column)] if column else []
        taken = {select.args["from_"].alias_or_name} if select.args.get("from_") else set()
        taken |= {alias for alias, join in joins.items() if self._brings_rows(join, scope)}
        found: set[_Read] = set()
        seen: set[str] = set()
        while parts or taken - seen:
            if parts:
                part = parts.pop()
                found |= self.reads_of(part, scope) | self._reads_of_subqueries(part, scope)
                taken |= {each.table for each in part.find_all(exp.Column) if each.table in joins}
            else:
                alias = min(taken - seen)
                seen.add(alias)
                found |= self._reads_of_source(scope.sources[alias], None)
                parts += [joins[alias].args["on"]] if alias in joins and joins[alias].args.get("on") else []
        return frozenset(found)

    def _brings_rows(self, join: "exp.Join", scope: "Scope") -> bool:
        is_crossed_with_one = join.kind == "CROSS" and self._is_total(scope.sources[join.alias_or_name])
        return join.side != "LEFT" and not is_crossed_with_one

    def _is_total(self, source: "exp.Table | Scope") -> bool:
        """Whether it always has one row: aggregates without groups, also where they are passed on whole."""
        from sqlglot import exp

        if isinstance(source, exp.Table):
            unique_id = self._of_relation[source.db, source.name]
            return unique_id.startswith("model.") and self._is_total(self._scope(unique_id))
        select = source.expression
        narrowing = ("where", "joins", "group", "having", "qualify", "distinct")
        if not isinstance(select, exp.Select) or any(select.args.get(each) for each in narrowing[2:]):
            return False
        if all(each.find(exp.AggFunc) and not each.find(exp.Window) for each in select.selects):
            return True
        is_passed_on = "from_" in select.args and not any(select.args.get(each) for each in narrowing[:2])
        return is_passed_on and self._is_total(source.sources[select.args["from_"].alias_or_name])

    def _reads_of_branches(self, scope: "Scope", column: str | None) -> frozenset[_Read]:
        """The same of a union, whose columns go by their place; one without repeats compares all of them."""
        names = _query(scope).named_selects
        wanted: list[str | None] = [*names] if scope.expression.args.get("distinct") else [column]
        places = [None if name is None else names.index(name) for name in wanted]
        return frozenset().union(
            *(
                self._reads(branch, None if place is None else _query(branch).named_selects[place])
                for branch in scope.set_operation_scopes
                for place in places
            )
        )

    def _reads_of_subqueries(self, part: "exp.Expr", scope: "Scope") -> set[_Read]:
        within = {id(node) for node in part.walk()}
        subqueries = [each for each in scope.subquery_scopes if id(each.expression) in within]
        return {read for each in subqueries for name in _query(each).named_selects for read in self._reads(each, name)}

    def _behind(self, column: "exp.Column", scope: "Scope") -> frozenset[_Read]:
        """Columns of tables behind a column; a query within or around this one tells of its own."""
        source = scope.sources.get(column.table)
        return self._reads_of_source(source, column.name) if source else frozenset()

    def _reads_of_source(self, source: "exp.Table | Scope", column: str | None) -> frozenset[_Read]:
        from sqlglot import exp

        if isinstance(source, exp.Table):
            return frozenset({(self._of_relation[source.db, source.name], column)})
        return self._reads(source, column)


def _model(name: str) -> str:
    return f"model.cx360.{name}"


def _query(scope: "Scope") -> "exp.Query":
    return cast("exp.Query", scope.expression)


def _selected(select: "exp.Query", column: str) -> "exp.Expr":
    return next(each for each in select.selects if each.alias_or_name == column)


def rows(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows of the seed, one per column of customer_profile, in their order."""
    lineage = Lineage(manifest)
    profile = _model("customer_profile")
    told = lineage.nodes[profile]["columns"]  # in the order the contract gives the table
    return [
        {
            "column_name": name,
            "column_number": number,
            **_meaning(told[name]["config"]["meta"]),
            **_origin(lineage, *lineage.expression(profile, name)),
        }
        for number, name in enumerate(told, 1)
    ]


def _meaning(meta: dict[str, str]) -> dict[str, str]:
    return {
        "label_en": meta["label_en"],
        "label_zh": meta["label_zh"],
        "unit": meta["unit"],
        "time_window": meta["window"],
    }


def _origin(lineage: Lineage, expression: "exp.Expr", profile: "Scope") -> dict[str, str]:
    """Where a column comes from, each kind as a list in one text, in the order of building."""
    from sqlglot import exp

    domains = [each.table for each in expression.find_all(exp.Column, bfs=False) if each.table != "feeds"]
    found = lineage.all_of(lineage.reads_of(expression, profile))
    is_of_identity = bool(found) and not _feeds(lineage, found)
    if is_of_identity:
        found = found.union(*(_selection(lineage, each) for each in EVIDENCE.split()))
    nodes = [lineage.nodes[each] for each in sorted(found, key=lambda each: (len(lineage.upstream(each)), each))]
    models = [node["name"] for node in nodes if node["resource_type"] == "model"]
    shown = {name for name in models if lineage.nodes[_model(name)]["config"]["meta"].get("publish")}
    if is_of_identity:
        shown.add(IDENTIFIERS)
    elif _feeds(lineage, found) & _feeds(lineage, lineage.comes_from(_model(EVENTS), "touchpoint_id")):
        shown.add(EVENTS)
    if _PLACED in models:
        shown.add(MEMBERSHIPS)
    return {
        "domain": domains[0] if domains else "",
        "feeds": ", ".join(sorted(_feeds(lineage, found))),
        "models": ", ".join(models),
        "seeds": ", ".join(node["name"] for node in nodes if node["resource_type"] == "seed"),
        "shown_in": ", ".join(f"profile.{name}" for name in sorted(shown)),
    }


def _selection(lineage: Lineage, selected: str) -> frozenset[str]:
    """Nodes of one term of dbt's selection: a name, after + with all it is built from."""
    name = selected.removeprefix("+")
    [unique_id] = [each for each in lineage.nodes if each.split(".")[0] != "test" and each.endswith(f".{name}")]
    return lineage.upstream(unique_id) if selected != name else frozenset({unique_id})


def _feeds(lineage: Lineage, unique_ids: Iterable[str]) -> set[str]:
    sources = (lineage.nodes[each]["name"] for each in unique_ids if each.startswith("source."))
    return {name for name in sources if name in FEEDS}


def text(origins: list[dict[str, Any]]) -> str:
    """Rows as the seed's CSV."""
    written = io.StringIO()
    lines = csv.DictWriter(written, list(origins[0]), lineterminator="\n")
    lines.writeheader()
    lines.writerows(origins)
    return written.getvalue()


def main() -> None:
    """Write the seed."""
    with tempfile.TemporaryDirectory() as folder:
        SEED.write_text(text(rows(compiled(Path(folder)))), encoding="utf-8")


if __name__ == "__main__":
    main()
