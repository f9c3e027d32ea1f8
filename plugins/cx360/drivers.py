"""Drivers: what of a contact goes along with satisfaction, estimated once for each closed quarter.

Here belongs which rows and columns are estimated from, and what is kept; the estimation is in ``statistics.drivers``.
An estimate is a function of the rows of its quarter, of the rules and of the code: while these stay the same it is
kept, and a late row changes it as it changes everything else known at that arrival.
"""

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cx360 import engines, versions, warehouse
from cx360.settings import Settings

if TYPE_CHECKING:
    import pyarrow as pa

    from cx360.statistics.drivers import Estimate, Floats, Ints

METRIC = "csat_top_two_share"

#: What a model holds constant, columns of int_cx__driver_answers.
CONTROLS = ("segment", "channel", "product", "month_number")

_TABLE = "driver_estimates"

#: Estimates are told to so many digits.
_DIGITS = 6


@dataclass(frozen=True)
class _Rules:
    """Seeds driver_rules and cx_rules: name, column and size of a unit of each driver; and the figures."""

    drivers: list[dict[str, Any]]
    figures: dict[str, int]


def estimate(settings: Settings) -> dict[str, Any]:
    """Estimate the drivers of each closed quarter whose rows are not those of its last estimate.

    Returns:
        Counts of quarters: ``quarters``, and ``estimated`` of them; whether any row ``changed``, came or went.
    """
    import pyarrow as pa

    with engines.open_warehouse(settings) as db:
        answers = db.query("select * from cx.int_cx__driver_answers order by quarter_date, observation_id")
        figures = db.query("select rule, value from seeds.cx_rules where rule like 'driver%' order by rule").to_pylist()
        rules = _Rules(
            db.query("select * from seeds.driver_rules order by driver").to_pylist(),
            {row["rule"]: int(row["value"]) for row in figures},
        )
        known = db.query(f"select * from raw.{_TABLE}").to_pylist()
        basis = versions.of_texts((versions.of_files(settings, "plugins/cx360"), repr(rules)))
        rows: list[dict[str, Any]] = []
        estimated = 0
        quarters = answers["quarter_date"].unique()
        for quarter in quarters:
            of_quarter = answers.filter(_is(answers, "quarter_date", quarter))
            rows_hash = _hash(of_quarter, basis)
            kept = [row for row in known if row["rows_hash"] == rows_hash]
            estimated += not kept
            rows += kept or [row | {"rows_hash": rows_hash} for row in _of_quarter(of_quarter, rules)]
        db.write(f"raw.{_TABLE}", pa.Table.from_pylist(rows, warehouse.kept_schema(_TABLE)))
    changed = {row["rows_hash"] for row in rows} != {row["rows_hash"] for row in known}
    return {"quarters": len(quarters), "estimated": estimated, "changed": changed}


def _is(table: "pa.Table", column: str, value: Any) -> Any:
    import pyarrow.compute as pc

    return pc.equal(table[column], value)


def _hash(answers: "pa.Table", basis: str) -> str:
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, answers.schema) as stream:
        stream.write_table(answers.combine_chunks())
    return hashlib.sha256(basis.encode() + sink.getvalue().to_pybytes()).hexdigest()


def _of_quarter(answers: "pa.Table", rules: _Rules) -> list[dict[str, Any]]:
    """Rows of one quarter, one a driver."""
    from cx360.statistics import drivers

    linked = answers.filter(_is(answers, "is_linked", True))
    values = {rule["driver"]: _numbers(linked, rule["column_name"]) / rule["one_unit"] for rule in rules.drivers}
    told = [name for name, value in values.items() if _is_told(value, rules.figures["driver_known_percent"])]
    matrix = np.column_stack([values[name] for name in told]) if told else np.empty((linked.num_rows, 0))
    used = linked.filter(~np.isnan(matrix).any(axis=1))
    matrix = matrix[~np.isnan(matrix).any(axis=1)]
    persons = _codes(used, "person_key")
    shared = {
        "metric": METRIC,
        "quarter_date": answers["quarter_date"][0].as_py(),
        "linked_share": round(linked.num_rows / answers.num_rows, _DIGITS),
        "n_answers": used.num_rows,
        "n_persons": int(persons.max(initial=-1)) + 1,
    }
    found = None
    outcome = _numbers(used, "outcome")
    enough = used.num_rows >= rules.figures["driver_minimum_answers"] and told
    if enough and matrix.std(axis=0).all() and outcome.std() > 0:
        found = drivers.estimate(
            outcome,
            matrix,
            _controls(used, rules.figures["driver_level_minimum"]),
            persons,
            rules.figures["driver_draws"],
            rules.figures["driver_seed"],
        )
    means = dict(zip(told, matrix.mean(axis=0), strict=True)) if found else {}
    figures = {name: _told(found, place, float(means[name])) for place, name in enumerate(told)} if found else {}
    return [shared | {"driver": name} | figures.get(name, {}) for name in values]


def _numbers(table: "pa.Table", column: str) -> "Floats":
    """A column as doubles, NaN where it is null."""
    import pyarrow as pa

    return np.asarray(table[column].cast(pa.float64()).to_numpy(), dtype=np.float64)


def _is_told(values: "Floats", percent: int) -> bool:
    """Whether a driver is known of enough answers and differs between them."""
    known = values[~np.isnan(values)]
    return len(known) * 100 >= percent * len(values) and len(known) > 0 and bool(np.ptp(known) > 0)


def _codes(table: "pa.Table", column: str) -> "Ints":
    """Numbers of a column's values in their order, from 0."""
    values = np.array(table[column].to_pylist(), dtype=object)
    return np.unique(values.astype(str), return_inverse=True)[1].astype(np.int64)


def _controls(table: "pa.Table", minimum: int) -> "Floats":
    """A column of 0 and 1 for each value of a control but its most frequent one; rare values are one value."""
    found = [np.empty((table.num_rows, 0))]
    for column in CONTROLS:
        codes = _codes(table, column)
        counts = np.bincount(codes)
        codes = np.where(counts[codes] < minimum, -1, codes)
        levels, counts = np.unique(codes, return_counts=True)
        others = np.delete(levels, counts.argmax())
        found.append((codes[:, None] == others[None, :]).astype(np.float64))
    return np.hstack(found)


def _told(found: "Estimate", place: int, mean: float) -> dict[str, Any]:
    """What is told of one driver; effects in points."""
    low, high = (float(end[place]) for end in found.effect_interval)
    figures = {
        "effect_points": 100 * found.effect[place],
        "effect_low_points": 100 * low,
        "effect_high_points": 100 * high,
        "elasticity_at_mean": found.elasticity[place],
        "importance_share": found.importance[place],
        "importance_low_share": found.importance_interval.low[place],
        "importance_high_share": found.importance_interval.high[place],
        "r_squared": found.r_squared,
        "driver_mean": mean,
    }
    direction = "down" if high < 0 else "up" if low > 0 else "unclear"
    # adding 0 takes the sign off a zero
    return {"direction": direction} | {name: round(float(value), _DIGITS) + 0.0 for name, value in figures.items()}
