"""Privacy: how personal values are normalised and turned into tokens.

Here belongs the one definition of a token, for every feed, decision and test. Where personal columns are split off is
``landing``; who may read what is ``postgres``.

A token is ``<key id>:<type>:<32 hex>``: the first 128 bits of HMAC-SHA-256 (RFC 2104) of the normalised value under
the deployment's token key. ``<type>?`` marks a value that could not be normalised, such as a phone number that
cannot exist: such a token is never evidence of identity.
"""

import hashlib
import hmac
import string
from functools import lru_cache
from typing import TYPE_CHECKING

from cx360.settings import Settings

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

#: Goes into the mapping hash, which says how a delivery's tokens were made: raise it when a normalisation changes.
#: What was landed before keeps its tokens until it is replayed from its raw file, and does not meet the new ones.
NORMALISATION_VERSION = 2

#: SQL of the letters and digits of ``v``, of any script.
_LETTERS = r"regexp_replace(upper(nfc_normalize(v)), '[^\p{L}\p{N}]', '', 'g')"

#: SQL over ``v``, a trimmed text, that gives the normalised text or null.
_NORMALISERS = {
    # The words of a name in any order, without accents, case and punctuation.
    "name": r"nullif(array_to_string(list_sort(string_split(trim(regexp_replace(lower(strip_accents(v)),"
    r" '[^\p{L}\p{N}]+', ' ', 'g')), ' ')), ' '), '')",
    "birth_date": "try_cast(v as date)::varchar",
    # One that is short or one character throughout, such as 000000, stands for none.
    "document": f"case when length({_LETTERS}) >= 4 and trim({_LETTERS}, left({_LETTERS}, 1)) <> ''"
    f" then {_LETTERS} end",
    "email": r"case when regexp_matches(lower(v), '^[^@\s]+@[^@\s]+\.[^@\s.]+$') then lower(v) end",
    "postcode": f"nullif({_LETTERS}, '')",
    "address": r"nullif(trim(regexp_replace(lower(strip_accents(v)), '[^\p{L}\p{N}]+', ' ', 'g')), '')",
    "device": "v",
    "app_user": "v",
    "counterparty": r"regexp_replace(upper(v), '\s+', '', 'g')",
}


def normaliser(semantic_type: str) -> str:
    """SQL over ``v``, a trimmed text, that gives what a token of that type is made of; null where there is none.

    Raises:
        KeyError: that type is not normalised by SQL (phones are not).
    """
    return _NORMALISERS[semantic_type]


def key_id(settings: Settings) -> str:
    """Short public name of the token key; the same key has the same name."""
    return "k" + hashlib.sha256(b"key id" + settings.secret("token")).hexdigest()[:4]


def token(settings: Settings, semantic_type: str, normalised: str) -> str:
    """The token of one value that is normalised already, such as ``('email', 'ada@example.org')``."""
    digest = hmac.new(settings.secret("token"), f"{semantic_type}:{normalised}".encode(), hashlib.sha256)
    return f"{key_id(settings)}:{semantic_type}:{digest.hexdigest()[:32]}"


def install(connection: "DuckDBPyConnection", settings: Settings) -> None:
    """Give a connection the SQL macros ``cx360_hmac(text)`` (32 hex) and ``cx360_token(type, text)``.

    The key goes in as a variable of the session, never as text of a statement, which an error could show.
    """
    key = settings.secret("token")
    block = (key if len(key) <= 64 else hashlib.sha256(key).digest()).ljust(64, b"\0")
    connection.execute("set variable cx360_inner = $1", [bytes(b ^ 0x36 for b in block)])
    connection.execute("set variable cx360_outer = $1", [bytes(b ^ 0x5C for b in block)])
    connection.execute("set variable cx360_key_id = $1", [key_id(settings)])
    connection.execute(
        "create or replace temp macro cx360_hmac(v) as substr(sha256(getvariable('cx360_outer')::blob"
        " || unhex(sha256(getvariable('cx360_inner')::blob || encode(v)))), 1, 32)"
    )
    connection.execute(
        "create or replace temp macro cx360_token(t, v) as"
        " getvariable('cx360_key_id') || ':' || t || ':' || cx360_hmac(t || ':' || v)"
    )


def tokenise(connection: "DuckDBPyConnection", values: str, table: str, semantic_type: str, region: str) -> None:
    """Make temp table ``table`` (value, semantic_type, token), one row per value of ``values``.

    Args:
        connection: one that ``install`` prepared.
        values: SQL of a select of one column ``v``: distinct, trimmed, not null texts.
        table: name of the table to make.
        semantic_type: of the contract's column; ``contact`` becomes phone or email value by value.
        region: ISO 3166 region of phone numbers without a country code.

    Raises:
        KeyError: nobody knows how to normalise that type.
    """
    if semantic_type in ("phone", "contact"):
        _normalise_phones(connection, values, region, with_email=semantic_type == "contact")
        normalised = "select v, t, n from cx360_phones"
    else:
        normalised = f"select v, '{semantic_type}' as t, {_NORMALISERS[semantic_type]} as n from ({values})"
    connection.execute(
        f"create or replace temp table {table} as select v as value, t as semantic_type,"
        f" case when n is null then cx360_token(t || '?', v) else cx360_token(t, n) end as token from ({normalised})"
    )


def _normalise_phones(connection: "DuckDBPyConnection", values: str, region: str, with_email: bool) -> None:
    """Make temp table ``cx360_phones`` (v, t, n): E.164 numbers, or e-mail addresses where one may be either."""
    import pyarrow as pa

    of_type = "case when contains(v, '@') then 'email' else 'phone' end" if with_email else "'phone'"
    connection.execute(f"create or replace temp table cx360_values as select v, {of_type} as t from ({values})")
    numbers = connection.sql("select v from cx360_values where t = 'phone'").to_arrow_table().column("v").to_pylist()
    known = pa.table(
        {"v": pa.array(numbers, pa.string()), "n": pa.array([e164(n, region) for n in numbers], pa.string())}
    )
    connection.register("cx360_known_phones", known)
    connection.execute(
        "create or replace temp table cx360_phones as"
        f" select v, t, case t when 'phone' then k.n else {_NORMALISERS['email']} end as n"
        " from cx360_values left join cx360_known_phones as k using (v)"
    )
    connection.unregister("cx360_known_phones")


@lru_cache(200_000)  # the files of a feed tell the same numbers again and again
def e164(number: str, region: str) -> str | None:
    """A phone number in E.164, or None when no such number can exist in its country's plan (its length is wrong).

    An extension is part of the number, added as RFC 3966 writes it: ``+4930901820;ext=12``.
    """
    import phonenumbers

    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(parsed):
        return None
    formatted = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return f"{formatted};ext={parsed.extension}" if parsed.extension else formatted


def is_fixed_line(number: str, region: str) -> bool:
    """Whether a phone number is one of a fixed line, where its country's plan tells them from mobile ones."""
    import phonenumbers

    try:
        kind = phonenumbers.number_type(phonenumbers.parse(number, region))
    except phonenumbers.NumberParseException:
        return False
    return bool(kind == phonenumbers.PhoneNumberType.FIXED_LINE)


def shape(value: str) -> str:
    """A value without what it says: digits become ``9``, all but ASCII punctuation ``a``; long ones are cut to 40."""
    masked = "".join("9" if c.isdigit() else c if c in f"{string.punctuation} " else "a" for c in value[:40])
    return masked + ("…" if len(value) > 40 else "")
