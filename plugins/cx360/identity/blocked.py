"""Blocked: values that are nobody's, as tokens.

Here belongs how seed ``identifier_blocked_values`` meets the lake, where values are tokens. What a blocked identifier
may not do is written in ``dbt_project/models/identity``.
"""

from contextlib import closing
from pathlib import Path

from cx360 import privacy
from cx360.settings import Settings
from cx360.sql import literal

#: Of telephone numbers without a country code: none, so that the seed must write them in full.
_NO_REGION = "ZZ"


def tokens(settings: Settings, seed: Path) -> list[tuple[str, str]]:
    """(identifier type, token) of every value of the seed that can be normalised, in order.

    Args:
        settings: whose key makes the tokens.
        seed: CSV file with identifier_type and value.
    """
    import duckdb

    found: list[tuple[str, str]] = []
    with closing(duckdb.connect(config={"autoinstall_known_extensions": False})) as db:
        privacy.install(db, settings)
        db.execute(f"create temp table seed as from read_csv({literal(str(seed))}, header = true, all_varchar = true)")
        for (kind,) in db.execute("select distinct identifier_type from seed order by 1").fetchall():
            values = f"select distinct trim(value) as v from seed where identifier_type = {literal(kind)}"
            privacy.tokenise(db, values, "blocked", kind, _NO_REGION)
            found += db.execute(
                "select distinct semantic_type, token from blocked where not contains(token, '?') order by all"
            ).fetchall()
    return found
