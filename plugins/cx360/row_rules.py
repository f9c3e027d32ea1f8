"""Row rules: what a contract says of one row, as SQL over the text a mapping gives.

Here belongs the cast of every type and every reason for which a row is quarantined. A condition is written once;
``is_bad`` and the list of reasons are made from the same ones, so clean and reject are each other's inverse.
"""

from cx360.contracts import Column, Contract
from cx360.sources import FileSpec

TEXT = "__text"  # suffix of a column's text as mapped, beside its typed value


def literal(value: str) -> str:
    """A SQL string literal."""
    return "'" + value.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def text(column: str, spec: FileSpec) -> str:
    """SQL of a mapped column as trimmed text, null where the source means nothing by it."""
    trimmed = f"nullif(trim({identifier(column)}::varchar), '')"
    nulls = [literal(v) for v in spec.null_values if v]
    return f"case when {trimmed} not in ({', '.join(nulls)}) then {trimmed} end" if nulls else trimmed


def cast(column: Column, spec: FileSpec, timezone: str) -> str:
    """SQL of the typed value of ``<column>__text``, null where it cannot be one."""
    t = identifier(column.name + TEXT)
    if column.type == "varchar":
        return t
    if column.type == "bigint":
        return f"case when regexp_full_match({t}, '[+-]?\\d+') then try_cast({t} as bigint) end"
    if column.type == "boolean":
        return (
            f"case when lower({t}) in ('true', 't', 'yes', 'y', '1') then true"
            f" when lower({t}) in ('false', 'f', 'no', 'n', '0') then false end"
        )
    if column.type == "date":
        return f"coalesce(try_strptime({t}, {_list(spec.date_formats)})::date, try_cast({t} as date))"
    if column.type == "timestamptz":
        local = f"coalesce(try_strptime({t}, {_list((*spec.timestamp_formats, *spec.date_formats))}), "
        local += f"try_cast({t} as timestamp))"
        return (
            f"case when regexp_matches({t}, ':\\d{{2}}(\\.\\d+)?\\s*(Z|[+-]\\d{{2}}(:?\\d{{2}})?)$')"
            f" then try_cast({t} as timestamptz) else timezone({literal(timezone)}, {local}) end"
        )
    return f"try_cast({_plain_number(t, spec)} as {column.type})"


def exact_amount(column: str, spec: FileSpec) -> str:
    """SQL of an amount as given, also one the contract's type cannot hold; null when it is no number."""
    return f"try_cast({_plain_number(identifier(column + TEXT), spec)} as decimal(38,6))"


def reasons(contract: Contract, spec: FileSpec, mapped: tuple[str, ...]) -> list[tuple[str, str]]:
    """(reason code, SQL condition) of everything that quarantines a row, in the contract's order.

    Conditions are over ``<column>__text`` and the typed ``<column>`` and may be null, which means no reason.
    """
    found = []
    for column in contract.columns:
        derived = bool(contract.derived_key) and column.name in contract.key
        if column.required and not derived:
            found.append((f"missing:{column.name}", f"{identifier(column.name + TEXT)} is null"))
        if column.name in mapped:
            found += _of_column(column, spec)
    return found + [(f"rule:{rule.name}", f"not ({rule.sql})") for rule in contract.rules]


def _of_column(column: Column, spec: FileSpec) -> list[tuple[str, str]]:
    name, value, given = column.name, identifier(column.name), identifier(column.name + TEXT)
    found = []
    if column.type.startswith("decimal"):
        number = _plain_number(given, spec)
        overflow = f"{value} is null and try_cast({number} as double) is not null"
        found.append((f"overflow:{name}", overflow))
        found.append((f"unparseable:{name}", f"{given} is not null and try_cast({number} as double) is null"))
        found.append((f"too_precise:{name}", f"{value} <> try_cast({number} as decimal(38,10))"))
    elif column.type != "varchar":
        found.append((f"unparseable:{name}", f"{given} is not null and {value} is null"))
    if column.allowed:
        found.append((f"not_allowed:{name}", f"{value} not in ({', '.join(map(literal, column.allowed))})"))
    options = column.options
    bounds = {"minimum": "<", "maximum": ">", "exclusiveMinimum": "<=", "exclusiveMaximum": ">="}
    if outside := [f"{value} {sign} {options[key]}" for key, sign in bounds.items() if key in options]:
        found.append((f"out_of_range:{name}", " or ".join(outside)))
    if "maxLength" in options:
        found.append((f"too_long:{name}", f"length({value}) > {int(options['maxLength'])}"))
    if "pattern" in options:
        found.append((f"pattern:{name}", f"not regexp_matches({value}, {literal(options['pattern'])})"))
    return found


def _plain_number(t: str, spec: FileSpec) -> str:
    if spec.thousands_separator:
        t = f"replace({t}, {literal(spec.thousands_separator)}, '')"
    if spec.decimal_separator != ".":
        t = f"replace({t}, {literal(spec.decimal_separator)}, '.')"
    return t


def _list(formats: tuple[str, ...]) -> str:
    return "[" + ", ".join(map(literal, formats)) + "]"
