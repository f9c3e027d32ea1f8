"""Fixed lines: numbers that ring in a home and not in a pocket.

Here belongs finding them, by Google's plan of numbers, among those people called from who live with others. That such a
number is everybody's at its holder's address is written in ``dbt_project/models/identity``.
"""

from contextlib import closing
from typing import TYPE_CHECKING

from cx360 import privacy, sources
from cx360.settings import Settings
from cx360.sql import literal

if TYPE_CHECKING:
    import pyarrow as pa

    from cx360.engines import Warehouse

#: Numbers somebody called from, on the record of one who does not live alone.
_CALLED_FROM = """
    select distinct s.identifier
    from identity.int_identity__subjects as s
    inner join identity.int_identity__evidence as e
        on e.identifier_type = s.identifier_type and e.identifier = s.identifier
    inner join identity.int_identity__records as r on r.party_id = e.party_id
    inner join identity.int_identity__records as o on o.address_token = r.address_token and o.party_id <> r.party_id
    where s.identifier_type = 'phone'
"""


def find(settings: Settings, db: "Warehouse", identifier_files: list[str]) -> "pa.Table":
    """(identifier) of the fixed lines among them.

    Args:
        settings: whose sources say in which region a number without a country code is.
        db: the warehouse, with the evidence of the run.
        identifier_files: files of the lake with the values of party records.
    """
    import duckdb
    import pyarrow as pa

    regions = sorted({file.phone_region for s in sources.load(settings) for file in s.files if file.feed == "parties"})
    called, found = db.query(_CALLED_FROM), []
    if called.num_rows and identifier_files:
        with closing(duckdb.connect(config={"autoinstall_known_extensions": False})) as duck:
            duck.register("called", called)
            files = ", ".join(map(literal, identifier_files))
            values = duck.execute(
                f"select token, min(value) from read_parquet([{files}]) semi join called on identifier = token"
                " group by token order by token"
            ).fetchall()
        found = [token for token, value in values if any(privacy.is_fixed_line(value, region) for region in regions)]
    return pa.table({"identifier": pa.array(found, pa.string())})
