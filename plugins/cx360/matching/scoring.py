"""Scoring: Splink finds the pairs and the level of each comparison; here its weights become whole numbers.

Here belongs the call of Splink, always on DuckDB in this process (docs/decisions/0022). Which pairs to score anew is
the package's to say.
"""

import logging
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cx360.matching.model import COMPARISONS, LEAST_MILLIBITS, Model

if TYPE_CHECKING:
    from collections.abc import Iterator

    from duckdb import DuckDBPyConnection
    from splink import Linker

#: Columns of the weights in the links, in the model's order.
WEIGHTS = tuple(f"{name}_millibits" for name in COMPARISONS)

#: Columns of a link.
COLUMNS = ("party_id_a", "party_id_b", *WEIGHTS, "weight_millibits", "outcome", "model_version")

#: Bits by which Splink's own sum may differ from that of rounded weights, and more.
_SLACK = 0.1


@contextmanager
def quiet() -> "Iterator[None]":
    """Splink explains itself at length, also in warnings; what is wrong it raises."""
    logger = logging.getLogger("splink")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)


def linker(db: "DuckDBPyConnection", model: Model, *tables: str, least_millibits: int = LEAST_MILLIBITS) -> "Linker":
    """A linker within one table of records, or between two; records bring their term frequencies along.

    Args:
        db: that has the tables.
        model: to link by.
        tables: one or two names.
        least_millibits: of a fixed weight.
    """
    from splink import DuckDBAPI, Linker

    api = DuckDBAPI(db)
    made = Linker(
        [api.register(table) for table in tables],
        model.to_splink("dedupe_only" if len(tables) == 1 else "link_only", least_millibits),
        log_level=None,
        validate_settings=False,
    )
    for column in model.term_frequencies:
        # Splink would count frequencies before it finds that the records have them.
        nothing = api.register(db.sql(f"select {column}, tf_{column} from {tables[0]} limit 0").to_arrow_table())
        made.table_management.register_term_frequency_lookup(nothing, column)
    return made


def score(db: "DuckDBPyConnection", model: Model, *tables: str) -> str:
    """Name of a new table of the links within one table of records, or between two.

    Args:
        db: that has the tables, with columns as ``features`` makes them.
        model: to score by.
        tables: one or two names.
    """
    with quiet():
        threshold = model.review_millibits / 1000 - _SLACK
        predicted = linker(db, model, *tables).inference.predict(threshold_match_weight=threshold)
    name = f"links_of_{'_and_'.join(tables)}"
    db.execute(f"create or replace table {name} as {_links(predicted.physical_name, model)}")
    db.execute(f"drop table {predicted.physical_name}")
    return name


def _links(predicted: str, model: Model) -> str:
    """SQL of the links among predictions: weights rounded to 1/1000 bit each, then added."""
    weights = []
    for comparison in model.comparisons:
        terms = [f"mw_{comparison.name}"]
        if any(level.tf for level in comparison.levels):
            terms.append(f"mw_tf_adj_{comparison.name}")
        rounded = " + ".join(f"round(1000 * {term})::bigint" for term in terms)
        weights.append(f"{rounded} as {comparison.name}_millibits")
    return f"""
        select
            *,
            case when weight_millibits >= {model.threshold_millibits} then 'match' else 'review' end as outcome,
            '{model.version}' as model_version
        from (
            select *, {" + ".join(WEIGHTS)} + {model.prior_millibits} as weight_millibits
            from (
                select
                    least(party_id_l, party_id_r) as party_id_a, greatest(party_id_l, party_id_r) as party_id_b,
                    {", ".join(weights)}
                from {predicted}
            )
        )
        where weight_millibits >= {model.review_millibits}
    """


def nothing() -> str:
    """SQL of no links, typed."""
    texts = ("party_id_a", "party_id_b", "outcome", "model_version")
    columns = (f"null::{'varchar' if name in texts else 'bigint'} as {name}" for name in COLUMNS)
    return f"select {', '.join(columns)} limit 0"
