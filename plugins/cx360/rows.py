"""Rows: the records of one file are typed, judged, rid of repeats, tokenised and split into what goes where.

Here belongs the work on rows between ``reading`` and the files of the lake, as SQL in a DuckDB in memory. The rules a
row must keep are in ``row_rules``; what happens to the files afterwards is ``landing``'s.

On the way: ``records`` (as text, in the file) -> ``typed`` (canonical columns, is_bad) -> ``repeats`` -> ``kept``.
What is expensive is done once, in ``typed``; reasons and raw rows are worked out there for the bad ones alone.
"""

from typing import TYPE_CHECKING

from cx360 import privacy, reading
from cx360.contracts import Column, Contract
from cx360.lake import blame
from cx360.mapping import RECORD, Mapping
from cx360.row_rules import GIVEN, READ, TEXT, cast, given, read, reasons, text, unkept_amount
from cx360.sources import File
from cx360.sql import identifier, literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

#: The number of a record in its file, from 1.
ROW = "_row"
#: Tokens that are not more than that are carried through sorting as numbers, which is half the work; more of them
#: would take memory that cannot be spilled.
_FEW_TOKENS = 250_000


def row_key(contract: Contract) -> tuple[str, ...]:
    """Columns that tell the rows of one file apart: the key, in a feed of changes with the version."""
    version = contract.version_column if contract.delivery == "changes" else None
    return (*contract.key, version) if version and version not in contract.key else contract.key


def _in_order(contract: Contract, of: str = "") -> str:
    return ", ".join(f"{of}{identifier(k)} nulls first" for k in row_key(contract))


def _hash(contract: Contract, names: tuple[str, ...]) -> str:
    """SQL of a number that is the same where those columns are, and hardly ever elsewhere."""
    return f"hash({', '.join(f'{_stored(contract.column(name))}::varchar' for name in names)})"


def judge(db: "DuckDBPyConnection", contract: Contract, file: File, select: Mapping) -> None:
    """Make ``typed`` (_row, canonical columns, _amount, is_bad, refusal), a row per record.

    ``_amount`` is the amount as given where it may be another than the canonical one.
    ``refusal`` of a bad row is JSON: its reasons, the raw row, and the mapped texts by column.

    Raises:
        UnreadableError: the file cannot be cut into records, or the mapping itself fails on a value.
    """
    import duckdb

    values = ", ".join(f"{_stored(c)} as {identifier(c.name)}" for c in contract.columns)
    conditions = reasons(contract, file.spec, select.outputs)
    is_bad = f"coalesce({' or '.join(f'({condition})' for _, condition in conditions) or 'false'}, false)"
    codes = [f"case when coalesce({condition}, false) then {literal(code)} end" for code, condition in conditions]
    why = f"list_filter([{', '.join(codes) or 'null'}], lambda code: code is not null)"
    refusal = f"to_json(struct_pack(reasons := {why}, record := {RECORD}, texts := {_texts(contract, file)}))::varchar"
    parsed = _parsed(contract, file, select)
    with blame(
        f"mapping {file.source.mapping(file.spec).name} of source {file.source.source} fails",
        "Check its functions and columns; leave the parsing of values to the contract's cast.",
    ):
        try:
            db.execute(
                "create temp table judged as"
                f" select {values}, _amount, is_bad, case when is_bad then {refusal} end as refusal"
                f" from (select *, {is_bad} as is_bad from ({parsed}))"
            )
        except duckdb.Error:
            reading.check(db, file)
            raise
    # To number the records while they are read would take one thread; a table has them in order.
    db.execute(f"create temp view typed as select rowid + 1 as {ROW}, * from judged")
    if contract.derived_key:
        _derive_key(db, contract)


def _stored(column: Column) -> str:
    """SQL of a typed value as ``typed`` keeps it: one of a list by its place there, which is less to sort."""
    name = identifier(column.name)
    return f"try_cast({name} as enum({', '.join(map(literal, column.allowed))}))" if _is_listed(column) else name


def _is_listed(column: Column) -> bool:
    return column.type == "varchar" and bool(column.allowed)


def _texts(contract: Contract, file: File) -> str:
    """SQL of the mapped texts of a row as a struct, by column."""
    return f"struct_pack({', '.join(f'{identifier(c.name)} := {given(c, file.spec)}' for c in contract.columns)})"


def _parsed(contract: Contract, file: File, select: Mapping) -> str:
    """Select of the records in the three layers of ``row_rules``: as text, as read, as typed values; and whole."""
    spec = file.spec
    texts, reads, values = [], [], []
    for column in contract.columns:
        name, is_mapped = column.name, column.name in select.outputs
        texts.append(f"{text(column, spec) if is_mapped else 'null::varchar'} as {identifier(name + TEXT)}")
        texts.append(f"{f'typeof({identifier(name)})' if is_mapped else 'null::varchar'} as {identifier(name + GIVEN)}")
        reads.append(f"{read(column, spec, file.timezone)} as {identifier(name + READ)}")
        values.append(f"{cast(column)} as {identifier(name)}")
    amount = unkept_amount(contract.column(contract.money["amount"])) if contract.money else "null::decimal(38,6)"
    mapped = f"select {RECORD}, {', '.join(texts)} from ({select.sql})"
    return (
        f"with raw as (select {RECORD}, * from records as {RECORD})"
        f" select *, {', '.join(values)}, {amount} as _amount from (select *, {', '.join(reads)} from ({mapped}))"
    )


def _derive_key(db: "DuckDBPyConnection", contract: Contract) -> None:
    """Give rows without a key one: a keyed hash of what they say, and their occurrence within the file."""
    key = identifier(contract.key[0])
    said = ", ".join(f"coalesce({identifier(c)}::varchar, '')" for c in contract.derived_key)
    db.execute(f"""
        update judged set {key} = derived.key
        from (
            select {ROW}, 'd' || said || '-' || row_number() over (partition by said order by {ROW}) as key
            from (
                select {ROW}, cx360_hmac(concat_ws('|', {said})) as said
                from typed
                where {key} is null and not is_bad
            )
        ) as derived
        where judged.rowid + 1 = derived.{ROW}
    """)


def settle_repeats(db: "DuckDBPyConnection", contract: Contract) -> None:
    """Make table ``repeats`` (_row, contradicts): good rows that do not win their key within the file.

    A row said again and a lower version of it are repeats. Two rows of one key and version that say different
    things contradict each other: one stays, so that the key is not lost, the other is quarantined.
    """
    version = identifier(contract.version_column) if contract.version_column else "null::bigint"
    key = [identifier(k) for k in row_key(contract)]
    keys = ", ".join(key)
    content = ", ".join(f"{identifier(c.name)} := {identifier(c.name)}" for c in contract.columns)
    told_by = _hash(contract, row_key(contract))
    db.execute(f"""
        create temp table repeats as
        with twice as (
            select {told_by} as _hash from typed where not is_bad group by all having count(*) > 1
        ),
        rivals as (
            select typed.*, {version} as _version, md5(to_json(struct_pack({content}))::varchar) as _said
            from typed semi join twice on _hash = {told_by}
            where not is_bad
        ),
        placed as (
            select
                {ROW},
                row_number() over same_key as place,
                _version is not distinct from first_value(_version) over same_key
                and _said <> first_value(_said) over same_key as contradicts
            from rivals
            window same_key as (partition by {keys} order by _version desc nulls last, _said, {ROW})
        )
        select {ROW}, contradicts from placed where place > 1
    """)


def tokenise(db: "DuckDBPyConnection", contract: Contract, phone_region: str) -> None:
    """Make view ``kept`` of the accepted rows, and tables ``tokens_<column>`` (value, semantic_type, token).

    Each distinct value of a personal identifier is there once.
    """
    db.execute(f"create temp view kept as select * from typed anti join repeats using ({ROW}) where not is_bad")
    for column in _identifiers(contract):
        value = identifier(column.name)
        values = f"select distinct {value}::varchar as v from typed where not is_bad and {value} is not null"
        table = f"tokens_{column.name}"
        privacy.tokenise(db, values, table, str(column.semantic_type), phone_region)
        ((tokens,),) = db.execute(f"select count(*) from {table}").fetchall()
        if 0 < tokens <= _FEW_TOKENS:
            db.execute(f"create type {table}_number as enum (select distinct token from {table})")
            db.execute(
                f"create or replace temp table {table} as"
                f" select * replace (token::{table}_number as token) from {table}"
            )


def _identifiers(contract: Contract) -> list[Column]:
    """Columns that leave a token in the lake."""
    return [c for c in contract.columns if c.token and c.semantic_type]


def accepted(contract: Contract) -> str:
    """Select of the rows for the lake, a token in place of every personal identifier, sorted by key and version."""
    personal = _identifiers(contract)
    tokens = {c.token: f"tokens_{c.name}.token as {identifier(str(c.token))}" for c in personal}
    names = ", ".join(tokens.get(name, f"kept.{identifier(name)}") for name, _, _ in contract.lake_columns)
    joins = " ".join(
        f"left join tokens_{c.name} on tokens_{c.name}.value = kept.{identifier(c.name)}::varchar" for c in personal
    )
    # All is written as its type: DuckDB writes an enumeration's list of values otherwise from one run to the next.
    spelled = ", ".join(f"{identifier(name)}::{of} as {identifier(name)}" for name, of, _ in contract.lake_columns)
    return f"select {spelled} from (select {names} from kept {joins} order by {_in_order(contract, 'kept.')})"


def identifiers(contract: Contract) -> str | None:
    """Select of the distinct personal identifiers (semantic_type, token, value); None if the contract has none."""
    tables = [
        f"select semantic_type, token::varchar as token, value from tokens_{c.name}" for c in _identifiers(contract)
    ]
    return f"select distinct * from ({' union all '.join(tables)}) order by all" if tables else None


def texts(contract: Contract) -> str | None:
    """Select of the free texts with ``row_key``, rows with any, as the file has them; None if the contract has none."""
    free = [c.name for c in contract.columns if c.is_restricted and not c.token]
    if not free:
        return None
    keys = ", ".join(identifier(k) for k in row_key(contract))
    names = ", ".join(identifier(n) for n in free)
    return f"select {keys}, {names} from kept where coalesce({names}) is not null order by {ROW}"


def refuse(db: "DuckDBPyConnection", contract: Contract, file: File, select: Mapping) -> None:
    """Make table ``refused`` (row_number, _row, reasons, raw_row, texts), what was quarantined and why.

    ``_row`` is null for what is no record. ``texts`` are as personal as the row.
    """
    _find_contradicting(db, contract, file, select)
    why = literal("contradicts:" + ",".join(contract.key))
    db.execute(f"""
        create temp table refused as
        select
            {ROW} as row_number,
            {ROW},
            from_json(refusal -> 'reasons', '["varchar"]') as reasons,
            refusal ->> 'record' as raw_row,
            refusal -> 'texts' as texts
        from typed
        where is_bad
        union all
        select {ROW}, {ROW}, [{why}], raw_row, texts from contradicting
        union all
        select row_number, null, ['malformed_record'], raw_row, null from malformed
    """)


def _find_contradicting(db: "DuckDBPyConnection", contract: Contract, file: File, select: Mapping) -> None:
    """Make table ``contradicting`` (_row, raw_row, texts) of the good rows that contradict others, from the file.

    To number its records would take one thread. Rows of one key are in the same order there as in ``typed`` instead.
    """
    told_by = _hash(contract, row_key(contract))
    is_alike = f"coalesce({told_by} in (select _hash from alike), false)"
    place = "row_number() over (partition by _hash order by {}) as place"
    db.execute(f"""
        create temp table alike as
        select distinct {told_by} as _hash from typed where {ROW} in (select {ROW} from repeats where contradicts)
    """)
    ((count,),) = db.execute("select count(*) from alike").fetchall()
    if not count:  # as nearly always: then the file is not read again
        db.execute(f"create temp table contradicting ({ROW} bigint, raw_row varchar, texts json)")
        return
    # A plain semi join would be turned round: the planner takes a file for small and would hold all of it in memory.
    db.execute(f"""
        create temp table found as
        select {told_by} as _hash, {RECORD}
        from ({_parsed(contract, file, select)})
        where {is_alike}
    """)
    key = ", ".join(f"{identifier(k)} := {identifier(k)}::varchar" for k in contract.key)
    db.execute(f"""
        create temp table contradicting as
        select {ROW}, to_json({RECORD})::varchar as raw_row, to_json(struct_pack({key})) as texts
        from (select *, {told_by} as _hash, {place.format(ROW)} from typed where {is_alike})
        join (select *, {place.format("rowid")} from found) using (_hash, place)
        where {ROW} in (select {ROW} from repeats where contradicts)
    """)
