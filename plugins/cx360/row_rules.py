"""Row rules: what a contract says of one row, as SQL over the text a mapping gives.

Here belongs the reading of every type and every reason for which a row is quarantined. A condition is written once;
``is_bad`` and the list of reasons are made from the same ones, so clean and reject are each other's inverse.

A column goes through three layers: ``<column>__text``, as given; ``<column>__read``, what the source means by it, still
unbounded; ``<column>``, of the contract's type.
"""

import re

from cx360.contracts import Column, Contract
from cx360.sources import FileSpec
from cx360.sql import identifier, literal

TEXT = "__text"  # suffix of a column's text as mapped
READ = "__read"  # suffix of what the text was read as
GIVEN = "__given"  # suffix of the type the mapping gave; what is no text is not read by the source's formats

#: Years a date may be of. Others are misread ones, such as 0026 from ``31.12.26``.
_EARLIEST, _LATEST = "1800-01-01", "2200-12-31"

_DAY = r"\d{4}-\d{2}-\d{2}"
_MOMENT = _DAY + r"[ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?"
_ISO_FORMAT = re.compile("%Y-%m-%d([ T]%H:%M(:%S)?)?(%z)?")
_OFFSET = r"(Z|[+-]\d{2}(:?\d{2})?)"
#: What may stand for a boolean, the likeliest first.
_BOOLEANS = {
    "false": False,
    "true": True,
    "f": False,
    "t": True,
    "no": False,
    "yes": True,
    "n": False,
    "y": True,
    "0": False,
    "1": True,
}
_TYPED_NUMBER = r"[+-]?\d+(\.\d+)?(e[+-]?\d+)?"


def _is_read_as_given(column: Column) -> bool:
    """Whether texts are read before they are trimmed: most are values as they stand, and need no trimming."""
    return column.type in ("date", "timestamptz") or column.type.startswith("decimal")


def text(column: Column, spec: FileSpec) -> str:
    """SQL of a mapped column as text, null where the source means nothing by it; trimmed where it is text for good."""
    given = f"{identifier(column.name)}::varchar"
    return _meant(given, spec) if _is_read_as_given(column) else trimmed(given, spec)


def trimmed(given: str, spec: FileSpec) -> str:
    """SQL of a text without spaces around it, null where the source means nothing by it."""
    # Trimming is slow and seldom needed: all it takes away are spaces, and beyond ASCII what Unicode calls so.
    trimmed = f"case when {_may_need_trimming(given)} then nullif(trim({given}), '') else {given} end"
    return _meant(trimmed, spec)


def _may_need_trimming(given: str) -> str:
    return f"{given} < '!' or ends_with({given}, ' ') or strlen({given}) > length({given})"


def _meant(given: str, spec: FileSpec) -> str:
    nulls = [literal(v) for v in spec.null_values if v]
    return f"case when {given} not in ({', '.join(nulls)}) then {given} end" if nulls else given


def read(column: Column, spec: FileSpec, timezone: str) -> str:
    """SQL of ``<column>__read``: a number as plain text, a date, an instant; null where the text is none.

    Every text must match in full: what merely begins like a number or date, or is one in the database's own words
    (``1e3``, ``1_000``, ``epoch``), is none.
    """
    t = identifier(column.name + TEXT)
    if not _is_read_as_given(column):
        return t
    after_trimming = _read(column, f"(case when {_may_need_trimming(t)} then {trimmed(t, spec)} end)", spec, timezone)
    return f"coalesce({_read(column, t, spec, timezone)}, {after_trimming})"


def _read(column: Column, t: str, spec: FileSpec, timezone: str) -> str:
    """SQL of what a text means; null where it is no value of the type in full."""
    is_text = f"{identifier(column.name + GIVEN)} = 'VARCHAR'"
    if column.type == "date":
        iso = f"try_cast({_only(_DAY, t)} as date), try_cast({_only(_MOMENT, t)} as timestamp)::date"
        declared = f"case when {is_text} then {_by_formats(t, spec.date_formats)}::date end"
        return _likelier_first(spec.date_formats, declared, iso)
    if column.type == "timestamptz":
        return _instant(t, is_text, spec, timezone)
    typed = _only(_TYPED_NUMBER, t)
    return f"case when {is_text} then {_plain(_only(_number(spec), t), spec)} else {typed} end"


def cast(column: Column) -> str:
    """SQL of the typed value of ``<column>__read``, null where it cannot be one."""
    r = identifier(column.name + READ)
    if column.type == "varchar":
        return r
    if column.type == "bigint":
        return f"try_cast({_only('[+-]?[0-9]+', r)} as bigint)"
    if column.type == "boolean":
        cases = " ".join(f"when {literal(said)} then {meant}" for said, meant in _BOOLEANS.items())
        return f"case lower({r}) {cases} end"
    if column.type.startswith("decimal"):
        return f"try_cast({r} as {column.type})"
    first, last = f"{column.type} {literal(_EARLIEST)}", f"{column.type} {literal(_LATEST)}"
    return f"case when {r} between {first} and {last} then {r} end"


def unkept_amount(column: Column) -> str:
    """SQL of an amount as given that the contract's type may not hold, else null; null when it is no number.

    One of 10^24 or more is null too, so that every sum of amounts can be told.
    """
    exact = f"try_cast({identifier(column.name + READ)} as decimal(30,6))::decimal(38,6)"
    return f"case when {identifier(column.name)} is null or {_is_long(column)} then {exact} end"


def given(column: Column, spec: FileSpec) -> str:
    """SQL of ``<column>__text``, trimmed in any case: slow, so for rows that hold no value there."""
    t = identifier(column.name + TEXT)
    return trimmed(t, spec) if _is_read_as_given(column) else t


def reasons(contract: Contract, spec: FileSpec, mapped: tuple[str, ...]) -> list[tuple[str, str]]:
    """(reason code, SQL condition) of everything that quarantines a row, in the contract's order.

    Conditions are over the three layers of a column and may be null, which means no reason.
    """
    found = []
    for column in contract.columns:
        derived = bool(contract.derived_key) and column.name in contract.key
        if column.required and not derived:
            found.append((f"missing:{column.name}", _unless_read(column, f"{given(column, spec)} is null")))
        if column.name in mapped:
            found += [*_of_the_text(column, spec), *_of_the_value(column)]
    return found + [(f"rule:{rule.name}", f"not ({rule.sql})") for rule in contract.rules]


def if_it_holds(column: Column) -> str:
    """SQL of a text column's value, null where it breaks a rule of its own: what a value may be told by."""
    broken = " or ".join(condition for _, condition in _of_the_value(column)) or "false"
    return f"case when not coalesce({broken}, false) then {identifier(column.name)} end"


def _unless_read(column: Column, condition: str) -> str:
    """SQL of a condition that holds of no text that was read; then it is not worked out."""
    return f"case when {identifier(column.name + READ)} is null then {condition} end"


def _of_the_text(column: Column, spec: FileSpec) -> list[tuple[str, str]]:
    """What is wrong with a text that is no value of the type."""
    name, value, number = column.name, identifier(column.name), identifier(column.name + READ)
    said = f"{given(column, spec)} is not null"
    if column.type.startswith("decimal"):
        is_rounded = f"case when {_is_long(column)} then {value} <> try_cast({number} as decimal(38,10)) end"
        return [
            (f"overflow:{name}", f"{value} is null and {number} is not null"),
            (f"unparseable:{name}", _unless_read(column, said)),
            (f"too_precise:{name}", is_rounded),
        ]
    return [] if column.type == "varchar" else [(f"unparseable:{name}", f"case when {value} is null then {said} end")]


def _is_long(column: Column) -> str:
    """SQL of whether a number's text has more after its point than the type keeps, which may be naughts."""
    number, scale = identifier(column.name + READ), column.type.partition(",")[2].rstrip(")") or 0
    return f"strlen({number}) - instr({number}, '.') > {int(scale)}"


def _of_the_value(column: Column) -> list[tuple[str, str]]:
    """What is wrong with a value of the type."""
    name, value, options = column.name, identifier(column.name), column.options
    found = []
    if column.allowed:
        found.append((f"not_allowed:{name}", f"{value} not in ({', '.join(map(literal, column.allowed))})"))
    bounds = {"minimum": "<", "maximum": ">", "exclusiveMinimum": "<=", "exclusiveMaximum": ">="}
    if outside := [f"{value} {sign} {options[key]}" for key, sign in bounds.items() if key in options]:
        found.append((f"out_of_range:{name}", " or ".join(outside)))
    if "maxLength" in options:
        found.append((f"too_long:{name}", f"length({value}) > {int(options['maxLength'])}"))
    if "pattern" in options:
        found.append((f"pattern:{name}", f"not regexp_matches({value}, {literal(options['pattern'])})"))
    return found


def _instant(t: str, is_text: str, spec: FileSpec, timezone: str) -> str:
    """SQL of an instant: a moment with an offset, or one by the clock of the time zone."""
    formats = (*spec.timestamp_formats, *spec.date_formats)
    zoned = tuple(f for f in formats if re.search("%[zZ]", f))
    local = tuple(f for f in formats if f not in zoned)
    by_clock = f"try_cast({_only(f'{_DAY}|{_MOMENT}', t)} as timestamp)"
    by_offset = f"try_cast({_only(_MOMENT + _OFFSET, t)} as timestamptz)"
    as_declared = f"case when {is_text} then {_by_formats(t, local)} end::timestamp"
    with_offset = _likelier_first(zoned, f"case when {is_text} then {_by_formats(t, zoned)} end", by_offset)
    bank = literal(timezone)
    # No text is of both kinds; so one with an offset need not fail every format without one first.
    if _are_iso(local):
        return f"coalesce(timezone({bank}, {by_clock}), {with_offset}, timezone({bank}, {as_declared}))"
    clock = f"timezone({bank}, coalesce({as_declared}, {by_clock}))"
    return f"coalesce({', '.join([with_offset, clock] if zoned else [clock, with_offset])})"


def _likelier_first(formats: tuple[str, ...], declared: str, iso: str) -> str:
    """SQL of what the source's formats or ISO 8601 make of a text, which agree where the formats are ISO's own.

    Reading ISO without a format is many times faster; a format that does not fit is the slowest of all.
    """
    return f"coalesce({f'{iso}, {declared}' if _are_iso(formats) else f'{declared}, {iso}'})"


def _are_iso(formats: tuple[str, ...]) -> bool:
    return all(_ISO_FORMAT.fullmatch(f) for f in formats)


def _number(spec: FileSpec) -> str:
    """Regular expression of a number as the source writes it: thousands in threes or not at all."""
    decimal, thousands = re.escape(spec.decimal_separator), re.escape(spec.thousands_separator)
    grouped = rf"|\d{{1,3}}({thousands}\d{{3}})+" if thousands else ""
    return rf"[+-]?((\d+{grouped})({decimal}\d+)?|{decimal}\d+)"


def _plain(number: str, spec: FileSpec) -> str:
    """SQL of a number's text with a point and nothing else between its digits."""
    if spec.thousands_separator:
        number = f"replace({number}, {literal(spec.thousands_separator)}, '')"
    if spec.decimal_separator != ".":
        number = f"replace({number}, {literal(spec.decimal_separator)}, '.')"
    return number


def _only(pattern: str, t: str) -> str:
    """SQL of a text where all of it matches the pattern, else null."""
    return f"case when regexp_full_match({t}, {literal(pattern)}) then {t} end"


def _by_formats(t: str, formats: tuple[str, ...]) -> str:
    """SQL of the first format that fits; it must have a digit, for ``infinity`` fits every format."""
    listed = ", ".join(map(literal, formats))
    return f"try_strptime(case when regexp_matches({t}, '[0-9]') then {t} end, [{listed}])" if formats else "null"
