"""The registry of metrics (seed ``cx_metric_registry``) as documentation and as a semantic layer.

Here belongs what is generated from the registry: ``docs/metrics.md``, and MetricFlow's definitions in
``dbt_project/models/cx/_semantic.yml``. ``python -m cx360.registry`` writes both; a test fails when they are not what
it would write. What a metric is belongs in the seed, how it is computed in ``dbt_project/models/cx``.
"""

import csv
from pathlib import Path
from typing import Any

from cx360.settings import PROJECT

SEED = PROJECT / "dbt_project" / "seeds" / "cx_metric_registry.csv"
DOCUMENT = PROJECT / "docs" / "metrics.md"
SEMANTIC = PROJECT / "dbt_project" / "models" / "cx" / "_semantic.yml"

FAMILIES = ("satisfaction", "loyalty", "engagement", "operations", "financial")

Metric = dict[str, str]


def metrics(seed: Path = SEED) -> list[Metric]:
    """Rows of the registry, one per metric, in its order."""
    with seed.open(newline="") as lines:
        return list(csv.DictReader(lines))


def document(registry: list[Metric]) -> str:
    """The registry as Markdown, by family."""
    text = [
        "# Metrics\n",
        "Generated from `dbt_project/seeds/cx_metric_registry.csv` by `python -m cx360.registry`. They are rows of"
        " `cx.cx_metrics_daily`,",
        "and over 7, 28 and 90 days of `cx.cx_metrics_rolling`. Intervals are of 95 %.\n",
    ]
    for family in FAMILIES:
        text.append(f"## {family.capitalize()}\n")
        text += [_entry(metric) for metric in registry if metric["family"] == family]
    return "\n".join(text)


def _entry(metric: Metric) -> str:
    """One metric: its name, and a table of what the registry says of it."""
    facts = {
        "question": metric["question"],
        "formula": metric["formula"],
        "population": metric["population"],
        "unit, scale": f"{metric['unit']}, {metric['scale']}",
        "better": {"up": "more", "down": "less", "none": "neither"}[metric["direction"]],
        "adds": _ADDS_OF_ANSWERS if _is_of_answers(metric) else _ADDS[metric["adds_as"]],
        "interval": _INTERVALS[metric["interval_method"]],
        "broken down by": {
            "all": "every dimension, and pairs of seed cx_dimension_pairs",
            "every dimension": "every dimension, no pairs",
        }.get(metric["breakdowns"], metric["breakdowns"]),
        "told for": metric["windows"],
        "final after": metric["final_after"],
        "owner": metric["owner"],
        "why so": metric["reason"],
    }
    lines = "".join(f"| {name} | {fact} |\n" for name, fact in facts.items())
    return f"### `{metric['metric']}`\n\n{metric['label_en']} · {metric['label_zh']}\n\n| | |\n|---|---|\n{lines}"


_ADDS = {
    "mean": "by numerator and n, over days and breakdowns",
    "sum": "over days and breakdowns",
    "last": "over people, not over days: a balance",
    "distinct": "over no days: different people",
    "quantile": "over nothing, neither days nor breakdowns: each is worked out of its own contacts",
}

#: Days added up count a person once a day, a period counts the latest answer once.
_ADDS_OF_ANSWERS = (
    "by numerator and n, over breakdowns; over days added up a person counts once a day, so a period is a row of"
    " `cx_metrics_rolling`"
)


def _is_of_answers(metric: Metric) -> bool:
    """Whether it counts the latest answer per person and question in the period."""
    return metric["adds_as"] == "mean" and metric["counts"] == "answers"


_INTERVALS = {
    "nps": "adjusted Wald (Rocks 2016), from 10 answers",
    "share": "Wilson (1927)",
    "mean": "Student's t, from 30 values",
    "median": "order statistics (Conover 1999)",
    "none": "none: it is counted, not estimated",
}


def semantic(registry: list[Metric]) -> dict[str, Any]:
    """MetricFlow's definitions over the observations of ``int_cx__observations``, in any breakdown and period.

    Each mean is a ratio of its sums, each total a sum, each median that of its observations, by the engine's own
    function. Metrics of ends of months are left to the table: they add over no days. Of answers a sum over days
    counts a person once a day, not once, which label and description say. What the
    table hides or holds back until it is final, a semantic layer shows: it is for those who may see observations.
    """
    defined = [metric for metric in registry if metric["breakdowns"] != "segment and tier"]
    return {
        "semantic_models": [_SEMANTIC_MODEL],
        "metrics": [definition for metric in defined for definition in _definitions(metric)],
    }


#: What metrics are broken down by, as macro cx_dimensions says; a test holds the two together.
DIMENSIONS = ("segment", "region", "channel", "touchpoint", "product", "tier")

_SEMANTIC_MODEL: dict[str, Any] = {
    "name": "cx_observations",
    "description": "Answers, contacts and invitations that metrics are made of; of a day's answers the latest.",
    "model": "ref('int_cx__observations')",
    "defaults": {"agg_time_dimension": "metric_date"},
    "primary_entity": "observation",
    "dimensions": [
        {"name": "metric_date", "type": "time", "type_params": {"time_granularity": "day"}},
        *({"name": name, "type": "categorical"} for name in ("metric", *DIMENSIONS)),
    ],
    "measures": [
        {
            "name": "numerator_sum",
            "agg": "sum",
            "expr": "case when is_counted then value end",
            "description": "What the units are worth, summed.",
        },
        {
            "name": "unit_count",
            "agg": "sum",
            "expr": "case when is_counted then 1 else 0 end",
            "description": "Units, summed.",
        },
        {
            "name": "middle_value",
            "agg": "median",
            "expr": "case when is_counted then value end",
            "description": "What the unit in the middle is worth; it adds up over nothing.",
        },
    ],
}


def _definitions(metric: Metric) -> list[dict[str, Any]]:
    """The metric, and what it is made of."""
    name = metric["metric"]
    rows = f"{{{{ Dimension('observation__metric') }}}} = '{metric['quantile_of'] or name}'"
    label, description = metric["label_en"], metric["formula"]
    if _is_of_answers(metric):
        label += ", a person once a day"
        description += ". Over several days a person counts once a day: for a period take cx_metrics_rolling"

    def part(suffix: str, measure: str, what: str) -> dict[str, Any]:
        return {
            "name": f"{name}{suffix}",
            "label": f"{label}{what}",
            "description": description,
            "type": "simple",
            "type_params": {"measure": measure},
            "filter": rows,
        }

    whole = {"sum": "numerator_sum", "quantile": "middle_value"}.get(metric["adds_as"])
    if whole:
        return [part("", whole, "")]
    return [
        part("_numerator", "numerator_sum", ", numerator"),
        part("_n", "unit_count", ", n"),
        {
            "name": name,
            "label": label,
            "description": description,
            "type": "ratio",
            "type_params": {"numerator": f"{name}_numerator", "denominator": f"{name}_n"},
        },
    ]


def semantic_text(registry: list[Metric]) -> str:
    """``semantic`` as YAML."""
    import yaml

    heading = "# Generated from seeds/cx_metric_registry.csv by python -m cx360.registry.\n"
    return heading + str(yaml.safe_dump(semantic(registry), sort_keys=False, width=120, allow_unicode=True))


def main() -> None:
    """Write what is generated from the registry."""
    registry = metrics()
    DOCUMENT.write_text(document(registry))
    SEMANTIC.write_text(semantic_text(registry))


if __name__ == "__main__":
    main()
