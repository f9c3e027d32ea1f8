"""The registry of metrics: what is generated from it is what it says, and nothing is published that is not in it."""

import ast
import re

from cx360 import registry
from cx360.settings import PROJECT


def test_documentation_and_semantic_layer_are_what_the_registry_says() -> None:
    metrics = registry.metrics()
    again = "run python -m cx360.registry"
    assert registry.DOCUMENT.read_text() == registry.document(metrics), again
    assert registry.SEMANTIC.read_text() == registry.semantic_text(metrics), again


def test_every_metric_says_what_a_reader_asks() -> None:
    for metric in registry.metrics():
        empty = [
            name for name, value in metric.items() if not value and name not in ("invitation_metric", "quantile_of")
        ]
        assert not empty, f"{metric['metric']}: {empty}"
        assert metric["family"] in registry.FAMILIES


def test_a_median_is_of_a_mean_of_contacts_in_the_same_words() -> None:
    """Contacts count once each: of answers a later one would take an earlier one's place within a window."""
    known = {metric["metric"]: metric for metric in registry.metrics()}
    medians = [metric for metric in known.values() if metric["adds_as"] == "quantile"]
    assert {metric["metric"] for metric in medians} == {"wait_median_seconds", "handling_median_seconds"}
    for metric in known.values():
        assert bool(metric["quantile_of"]) == (metric in medians) == (metric["interval_method"] == "median")
    for metric in medians:
        mean = known[metric["quantile_of"]]
        assert (mean["adds_as"], mean["counts"]) == ("mean", "contacts")
        same = ("population", "counts", "unit", "scale", "direction", "final_after", "windows", "owner")
        assert [metric[name] for name in same] == [mean[name] for name in same]


def test_answers_are_not_said_to_add_over_days() -> None:
    """A person's answers of two days are two units of days added up, and one of the period."""
    metrics = registry.metrics()
    of_answers = {metric["metric"] for metric in metrics if metric["counts"] == "answers"}
    assert of_answers > {"nps_relationship", "csat_mean", "ces_v2_low_effort_share"}
    entries = registry.document(metrics).split("### ")[1:]
    told = {entry.split("`")[1] for entry in entries if "a person counts once a day" in entry}
    assert told == of_answers
    for defined in registry.semantic(metrics)["metrics"]:
        name = defined["name"].removesuffix("_numerator").removesuffix("_n")
        assert ("a person once a day" in defined["label"]) == (name in of_answers)
        assert ("cx_metrics_rolling" in defined["description"]) == (name in of_answers)


def test_every_metric_of_a_model_is_in_the_registry() -> None:
    """Names that models write out; those they make of a survey's kind are tested by dbt on the rows."""
    known = {metric["metric"] for metric in registry.metrics()}
    models = (PROJECT / "dbt_project/models/cx").glob("*observations.sql")
    written = {name for path in models for name in re.findall(r"'(\w+)' as metric,", path.read_text())}
    assert written and written <= known, written - known


def test_python_and_sql_break_down_by_the_same_dimensions() -> None:
    macros = (PROJECT / "dbt_project/macros/cx_metrics.sql").read_text()
    [written] = re.findall(r"macro cx_dimensions\(\).*?return\((\[.*?\])\)", macros, re.DOTALL)
    assert tuple(ast.literal_eval(written)) == registry.DIMENSIONS
