"""Macros of intervals whose figures can be held to exact ones, rendered from their file and asked of DuckDB."""

import duckdb
import numpy
from jinja2 import Environment
from scipy import stats

from cx360.warehouse import DBT_PROJECT


def test_ranks_of_a_medians_interval_are_the_exact_ones_or_the_next() -> None:
    """Against the binomial, n from 6 to 20,000: never less sure than 95 %, and wider by a rank for one n in 300."""
    dbt = Environment(extensions=["jinja2.ext.do"])
    dbt.globals["return"] = str
    macros = dbt.from_string((DBT_PROJECT / "macros" / "intervals.sql").read_text()).module
    rank = macros.median_lower_rank("n")  # type: ignore[attr-defined]
    with duckdb.connect() as db:
        found = db.execute(f"select n, {rank} as lower_rank from range(1, 20001) t(n) order by n").fetchnumpy()
    n, lower = found["n"], found["lower_rank"]
    assert (lower[:5] <= 0).all() and lower[5] == 1
    n, lower = n[5:], lower[5:]
    # the median lies below the value of rank r with P(fewer than r of n values lie below it)
    is_sure = 2 * stats.binom.cdf(lower - 1, n, 0.5) <= 0.05
    is_tight = 2 * stats.binom.cdf(lower, n, 0.5) > 0.05
    assert is_sure.all()
    assert numpy.count_nonzero(~is_tight) == 60
    assert (2 * stats.binom.cdf(lower + 1, n, 0.5) > 0.05).all()
