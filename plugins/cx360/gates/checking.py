"""Checking: runs Great Expectations on one relation and says what became of each rule.

Here belongs everything that knows Great Expectations' ways. It is imported when there is something to check: its
import takes seconds. Nothing that leaves this module holds a value of a row: results are cut down to counts.
"""

import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from cx360 import engines
from cx360.gates.report import Outcome
from cx360.gates.suites import Rule, Suite
from cx360.settings import Settings
from cx360.sql import literal

if TYPE_CHECKING:
    import pandas as pd
    from great_expectations.core import ExpectationSuiteValidationResult
    from great_expectations.core.expectation_validation_result import ExpectationValidationResult
    from great_expectations.data_context import AbstractDataContext
    from great_expectations.datasource.fluent.interfaces import Batch

#: Errors that speak of the suite or the tables, not of values in them, and may therefore be passed on.
_ABOUT_NAMES = re.compile(
    r"(Binder|Catalog|Parser) Error: [^\n]*|[Cc]olumn \"?\w+\"? [^\n]*does not exist[^\n]*|[\w ]+ not found$"
)
#: What of a result is a count.
_COUNTS = ("element_count", "unexpected_count", "missing_count", "unexpected_percent", "observed_value")


@dataclass(frozen=True)
class Finding:
    """What became of one rule.

    Attributes:
        failed: values of the index column that break the rule; empty without an index column.
        observed: the count Great Expectations gives, in words.
        trouble: why it could not be checked.
    """

    outcome: Outcome
    failed: frozenset[int] = frozenset()
    observed: str | None = None
    trouble: str | None = None


@dataclass(frozen=True)
class Checked:
    """Findings by rule, and Great Expectations' own result without any row's values, for the Data Docs."""

    findings: dict[str, Finding]
    result: "ExpectationSuiteValidationResult"


@cache
def context() -> "AbstractDataContext":
    """The one ephemeral context of this process: nothing on disk, no progress bars, silent.

    Great Expectations logs failing SQL with its parameters; a gate's results are in its report instead.
    """
    logging.getLogger("great_expectations").setLevel(logging.CRITICAL + 1)
    import_library()
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    made = gx.get_context(mode="ephemeral")
    made.variables.progress_bars = ProgressBarsConfig(globally=False)
    return made


def import_library() -> None:
    """Import Great Expectations, which takes seconds."""
    with _without_spark_connect():
        import great_expectations  # noqa: F401


@contextmanager
def _without_spark_connect() -> Iterator[None]:
    """Keep an import within from Spark Connect: pyspark without it ends a process of `python -c` that asks for it."""
    name = "pyspark.sql.connect"
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[name]


def check_frame(suite: Suite, frame: "pd.DataFrame", index: str) -> Checked:
    """Check a table of facts, one row per thing judged; ``index`` is its integer key."""
    source = context().data_sources.add_or_update_pandas("facts")
    asset = source.add_dataframe_asset(suite.name)
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": frame})
    return _check(suite, batch, index)


def check_table(suite: Suite, settings: Settings) -> Checked:
    """Check a table of the warehouse, which is only read.

    Raises:
        Exception: whatever says that the table cannot be read at all.
    """
    with _candidate(settings, suite.relation) as source:
        asset = source.add_query_asset(suite.name, query=f"select * from candidate.{suite.relation}")
        return _check(suite, asset.add_batch_definition_whole_table("all").get_batch(), None)


@contextmanager
def _candidate(settings: Settings, relation: str) -> Iterator[Any]:
    """A table of the warehouse in a data source; it is given back at the end, so that others may write again.

    Great Expectations leaves connections to be collected some time. So they are to a database in memory, which the
    warehouse is attached to and detached from.
    """
    memory = "duckdb:///:memory:cx360_gate"
    _register_candidate()
    sources: Any = context().data_sources
    source = sources.add_or_update_cx360_candidate("candidate", connection_string=memory, create_temp_table=False)
    engine = source.get_execution_engine()
    with engine.get_connection() as db:
        db.exec_driver_sql(f"set threads = {settings.threads}")
        db.exec_driver_sql(f"set memory_limit = {literal(settings.memory_limit)}")
        db.commit()
        engines.of(settings).attach(settings, db.connection.dbapi_connection, [relation])
        try:
            yield source
        finally:
            db.rollback()
            db.exec_driver_sql("detach candidate")
            db.commit()
            engine.close()


@cache
def _register_candidate() -> None:
    """Tell Great Expectations of a data source for DuckDB, which it does not know: defining the class does it.

    It reads a result after it gave the connection back, which on DuckDB ends the result: so one connection is kept.
    A failed statement leaves a transaction that refuses everything after it: so it is rolled back.
    """
    from great_expectations.datasource.fluent import SQLDatasource
    from great_expectations.execution_engine import SqlAlchemyExecutionEngine

    class KeptConnectionEngine(SqlAlchemyExecutionEngine):
        @contextmanager
        def get_connection(self) -> Iterator[Any]:
            if not self._connection:
                self._connection = self.engine.connect()
            try:
                yield self._connection
            except Exception:
                self._connection.rollback()
                raise

        def close(self) -> None:
            if self._connection:
                self._connection.close()
            super().close()

    class CandidateDatasource(SQLDatasource):
        type: Literal["cx360_candidate"] = "cx360_candidate"  # type: ignore[assignment]

        @property
        def execution_engine_type(self) -> Any:
            return KeptConnectionEngine


def _check(suite: Suite, batch: "Batch", index: str | None) -> Checked:
    """Validate a batch; a rule that breaks is tried again alone, so that it takes no other down with it."""
    from great_expectations.core import ExpectationSuite

    form: dict[str, Any] = {"result_format": "BASIC", "partial_unexpected_count": 0}
    if index:
        form |= {"result_format": "COMPLETE", "unexpected_index_column_names": [index]}

    def validate(rules: tuple[Rule, ...]) -> "ExpectationSuiteValidationResult":
        expectations = [rule.expectation for rule in rules]
        return batch.validate(ExpectationSuite(name=suite.name, expectations=expectations), result_format=form)

    understood = tuple(rule for rule in suite.rules if _is_understood(rule))
    result = validate(understood)
    by_rule = {_name(one): one for one in result.results}
    broken = [rule for rule in understood if _trouble(by_rule[rule.name])]
    if len(understood) > 1:
        for rule in broken:
            by_rule[rule.name] = validate((rule,)).results[0]
    findings = {rule.name: _finding(by_rule.get(rule.name), index) for rule in suite.rules}
    result.results = [_cut(by_rule[rule.name]) for rule in suite.rules if rule.name in by_rule]
    return Checked(findings, result)


def _name(one: "ExpectationValidationResult") -> str:
    return str(one.expectation_config.meta["rule"]) if one.expectation_config else ""


def _is_understood(rule: Rule) -> bool:
    """Whether Great Expectations can make something of it; in a suite it would leave it out, with a log line only."""
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    try:
        ExpectationConfiguration(**rule.expectation).to_domain_obj()
    except Exception:  # not found, arguments of another type, of another name: each raises its own
        return False
    return True


def _finding(one: "ExpectationValidationResult | None", index: str | None) -> Finding:
    if one is None:
        return Finding("could not check", trouble="Great Expectations does not know this expectation or its arguments")
    if trouble := _trouble(one):
        return Finding("could not check", trouble=trouble)
    counts = {name: one.result[name] for name in _COUNTS if _is_number(one.result.get(name))}
    observed = f"{counts['unexpected_count']:,} rows break it" if "unexpected_count" in counts else None
    if observed is None and "observed_value" in counts:
        observed = str(counts["observed_value"])
    if one.success or index is None:
        return Finding("passed" if one.success else "failed", observed=observed)
    failed = frozenset(int(row[index]) for row in one.result.get("unexpected_index_list") or ())
    if not failed or len(failed) != counts.get("unexpected_count"):
        return Finding("could not check", trouble="the rule does not tell which rows break it")
    return Finding("failed", failed, observed)


def _trouble(one: "ExpectationValidationResult") -> str | None:
    """Why a rule could not be checked, without any value: an internal error looks like failing data."""
    info = one.exception_info or {}
    several = [info] if "raised_exception" in info else [v for v in info.values() if isinstance(v, dict)]
    messages = [str(each.get("exception_message")) for each in several if each.get("raised_exception")]
    if not messages:
        return None
    for message in messages:
        if found := _ABOUT_NAMES.search(message):
            return found[0].strip()
    kind = re.search(r"\b[A-Z]\w+(Error|Exception)\b", messages[0])
    return f"Great Expectations raised {kind[0] if kind else 'an error'}"


def _cut(one: "ExpectationValidationResult") -> "ExpectationValidationResult":
    """The result with its counts only."""
    trouble = _trouble(one)
    one.result = {name: one.result[name] for name in _COUNTS if _is_number(one.result.get(name))}
    one.exception_info = {
        "raised_exception": trouble is not None,
        "exception_message": trouble or "",
        "exception_traceback": "",
    }
    return one


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
