"""Links: pairs of party records that a rule takes for one person, and what refuses a pair at once.

Here belongs what one pair shows. Whether the pairs that remain hold together is ``partition``'s. Pairs are made by SQL
in a DuckDB in memory, whatever engine the warehouse is; records are numbered by the order of their party keys.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cx360.identity.partition import Facts

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from duckdb import DuckDBPyConnection
    from numpy.typing import NDArray

    from cx360.engines import Warehouse

    Numbers = NDArray[np.int64]

#: What is read of the warehouse.
_READ = {
    "parties": "select party_id, party_type, name_token, birth_date_token, is_birth_date_verified, document_token,"
    " document_kind, is_document_valid, phone_token, email_token, address_token from identity.int_identity__records"
    " order by party_id",
    "holdings": "select identifier_type, identifier, link_key, party_id from identity.int_identity__link_keys",
    "homes": "select household_key, party_id from identity.int_identity__household_keys",
    "limits": "select identifier_type, max_holders from seeds.identifier_limits",
    "rules": "select rule, priority from seeds.identity_rules",
}

#: Why a pair is refused at once; null where it is not. What is not verified refutes a number and a name, no document.
#: One name at one address, and a birth date missing, may as well be a parent and a child of that name.
_REFUSAL = """
    case
        when a.party_type <> b.party_type then 'party_type_differs'
        when a.is_document_valid and b.is_document_valid and a.document_kind = b.document_kind
            and a.document_token <> b.document_token then 'document_differs'
        when a.birth_date_token <> b.birth_date_token
            and ((a.is_birth_date_verified and b.is_birth_date_verified) or p.rule in ('phone_name', 'email_name'))
            then 'birth_date_differs'
        when p.rule in ('phone_name', 'match') and a.name_token = b.name_token and a.address_token = b.address_token
            and coalesce(a.birth_date_token, b.birth_date_token) is not null
            and (a.birth_date_token is null or b.birth_date_token is null)
            and coalesce(a.document_token <> b.document_token, true) and coalesce(a.email_token <> b.email_token, true)
            then 'family_of_one_name'
        when d.record_a is not null then 'do_not_link'
    end"""


@dataclass(frozen=True)
class Pairs:
    """Pairs of records one rule proposes, in one order; those that nothing refuses."""

    table: "pa.Table"  # record_a, record_b, rule, identifier, weight_millibits, priority, refusal
    a: "Numbers"
    b: "Numbers"
    priority: "Numbers"


class Bench:
    """The evidence of a run, in a DuckDB in memory: tables as in ``_READ``, records numbered.

    Closed at the end of a ``with`` block.
    """

    def __init__(self, warehouse: "Warehouse") -> None:
        """Read the evidence."""
        import duckdb

        self._db: DuckDBPyConnection = duckdb.connect(config={"autoinstall_known_extensions": False})
        for name, sql in _READ.items():
            self.put(name, warehouse.query(sql))
        self._db.execute(
            "create table records as select row_number() over (order by party_id) - 1 as record, * from parties"
        )
        self._db.execute("create table suppressed (identifier_type varchar, identifier varchar, holder_count bigint)")
        self.put_pairs("apart", (), ())

    def __enter__(self) -> "Bench":
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def put(self, name: str, rows: "pa.Table") -> None:
        """Make a table hold these rows."""
        self._db.register("rows_to_put", rows)
        self._db.execute(f"create or replace table {name} as select * from rows_to_put")
        self._db.unregister("rows_to_put")

    def put_pairs(self, name: str, one: Iterable[str], other: Iterable[str]) -> "Numbers":
        """Make a table (record_a, record_b, place) of pairs of party keys that both exist; returns it as (3, n)."""
        import pyarrow as pa

        keys = pa.table({"a": pa.array(one, pa.string()), "b": pa.array(other, pa.string())})
        self.put("pairs_of_keys", keys)
        self._db.execute(f"""
            create or replace table {name} as
            select least(x.record, y.record) as record_a, greatest(x.record, y.record) as record_b, p.rowid as place
            from pairs_of_keys as p
            inner join records as x on x.party_id = p.a
            inner join records as y on y.party_id = p.b
            order by p.rowid""")
        return self.numbers(f"select record_a, record_b, place from {name} order by place")

    def numbers(self, sql: str) -> "Numbers":
        """Whole numbers of a select: (columns, rows)."""
        import numpy as np

        found = self._db.execute(sql).fetchnumpy()
        return np.stack([np.asarray(column, dtype=np.int64) for column in found.values()])

    def table(self, sql: str) -> "pa.Table":
        """Rows of a select."""
        return self._db.sql(sql).to_arrow_table()

    def facts(self) -> Facts:
        """Valid documents by kind and verified birth dates as proofs; every birth date as a claim."""
        record, kind, value = self.numbers("""
            with facts as (
                select record, 'document|' || document_kind as kind, document_token as value
                from records
                where is_document_valid
                union all
                select record, 'birth_date', birth_date_token from records where is_birth_date_verified
            )
            select record, dense_rank() over (order by kind), dense_rank() over (order by kind, value)
            from facts
            order by record, kind""")
        (claim,) = self.numbers("""
            select case when birth_date_token is null then -1
                else dense_rank() over (order by birth_date_token nulls last) end
            from records
            order by record""")
        return Facts(record, kind, value, claim)

    def suppress(self, identifier_type: str, labels: "Numbers") -> None:
        """Take identifiers of a type from the holdings that more persons hold than the limit, and list them."""
        import pyarrow as pa

        self.put("labels", pa.table({"label": labels}))
        self._db.execute(f"""
            insert into suppressed
            select h.identifier_type, h.identifier, count(distinct l.label) as holder_count
            from holdings as h
            inner join records as r on r.party_id = h.party_id
            inner join labels as l on l.rowid = r.record
            inner join limits as m on m.identifier_type = h.identifier_type
            where h.identifier_type = '{identifier_type}'
            group by h.identifier_type, h.identifier
            having count(distinct l.label) > any_value(m.max_holders)
            order by h.identifier""")
        self._db.execute(
            "delete from holdings as h where exists (select 1 from suppressed as s"
            " where s.identifier_type = h.identifier_type and s.identifier = h.identifier)"
        )

    def pairs_of_rule(self, identifier_type: str, rule: str) -> Pairs:
        """Pairs of records that have an identifier in common and agree in what the rule asks for beside it."""
        return self._pairs(f"""
            select a.record as record_a, b.record as record_b, '{rule}' as rule, x.identifier,
                null::bigint as weight_millibits, 0 as bits
            from holdings as x
            inner join holdings as y
                on y.identifier_type = x.identifier_type and y.identifier = x.identifier and y.link_key = x.link_key
                    and y.party_id > x.party_id
            inner join records as a on a.party_id = x.party_id
            inner join records as b on b.party_id = y.party_id
            where x.identifier_type = '{identifier_type}'""")

    def pairs_of_matches(self, matches: "pa.Table") -> Pairs:
        """Pairs whose weight is enough: (party_id_a, party_id_b, weight_millibits) by whole bits."""
        self.put("matches", matches)
        return self._pairs("""
            select a.record as record_a, b.record as record_b, 'match' as rule, null::varchar as identifier,
                m.weight_millibits, m.weight_millibits // 1000 as bits
            from matches as m
            inner join records as a on a.party_id = m.party_id_a
            inner join records as b on b.party_id = m.party_id_b""")

    def _pairs(self, proposed: str) -> Pairs:
        """Pairs with their priority and, where something refuses them, what."""
        import pyarrow.compute as pc

        table = self.table(f"""
            with proposed as ({proposed})
            select p.record_a, p.record_b, a.party_id as party_id_a, b.party_id as party_id_b, p.rule, p.identifier,
                p.weight_millibits, (r.priority + p.bits)::bigint as priority, {_REFUSAL} as refusal
            from proposed as p
            inner join records as a on a.record = p.record_a
            inner join records as b on b.record = p.record_b
            inner join rules as r on r.rule = p.rule
            left join apart as d on d.record_a = p.record_a and d.record_b = p.record_b
            order by p.record_a, p.record_b, p.identifier""")
        stands = table.filter(pc.is_null(table["refusal"]))
        a, b, priority = (stands[name].to_numpy() for name in ("record_a", "record_b", "priority"))
        return Pairs(table, a, b, priority)
