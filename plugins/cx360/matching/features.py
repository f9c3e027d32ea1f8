"""Features: what of a party record is compared, made from the restricted part of the lake.

Here belongs what makes two writings of one name, address or mailbox equal. Every feature is a function of a record's
tokens: of the values of a token any may be taken, for it is first normalised the way the token was made. How features
are compared is the model's to say.
"""

from typing import TYPE_CHECKING

from cx360 import privacy
from cx360.matching.model import FREQUENT, Model
from cx360.sql import literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

#: Raise it when a feature changes: what was kept of earlier runs is then made anew.
VERSION = 1

#: Types whose values are read; of a phone its token says all there is to compare.
READ = ("name", "birth_date", "document", "email", "address", "postcode")

#: Tokens of a record.
TOKENS = ("name", "given_name", "family_name", *READ[1:], "phone")

#: Letters that are no letter with an accent, and the vowels German writes in two ways.
_LETTERS = {"ß": "ss", "ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "æ": "ae", "œ": "oe"}

#: What streets are called in full and in short.
_STREETS = {"str": "strasse|straße|str", "st": "street", "rd": "road", "av": "avenue|ave", "pl": "platz|place"}


def make(db: "DuckDBPyConnection", records: str, paths: list[str], model: Model) -> None:
    """Make table ``features``, one row per record.

    Args:
        db: a connection of its own: what it holds is personal.
        records: table of party_id, tokens_hash, ``<type>_token`` for TOKENS, VERIFIED, city, gender.
        paths: files of the lake's identifiers that have the values of those tokens.
        model: says which keys to make and how frequent names are.
    """
    _read_values(db, records, paths)
    for column in FREQUENT:
        _register_frequencies(db, column, model)
    _make_names(db, model)
    _make_rest(db, model)
    columns = f"""
        select
            r.party_id, r.tokens_hash,
            given.words as given, given.letters as given_letters, given.characters as given_characters,
            given.tf_given, given.is_given_known,
            family.words as family, family.letters as family_letters, family.characters as family_characters,
            family.tf_family,
            {_NAME} as name,
            {_together(model)} as tf_name,
            {_sorted_letters("coalesce(given.words || family.words, whole.words, given.words, family.words)")}
                as name_letters,
            birth.meaning as birth_date, birth.birth_key, birth.tf_birth_date,
            document.meaning as document, r.is_document_verified, r.is_birth_date_verified,
            case when r.phone_token is not null then hash(r.phone_token) end as phone, email.meaning as email,
            {_street_alone("address.meaning", "postcode.meaning", _town("r.city"))} as address,
            postcode.meaning as postcode, {_town("r.city")} as city,
            case when r.gender in ('female', 'male') then r.gender end as gender
        from {records} as r
        left join names as given on given.token = r.given_name_token
        left join names as family on family.token = r.family_name_token
        left join names as whole on whole.token = r.name_token
        left join tf_of_name as together on together.value = {_NAME}
        left join rest as birth on birth.token = r.birth_date_token
        left join rest as document on document.token = r.document_token
        left join rest as email on email.token = r.email_token
        left join rest as address on address.token = r.address_token
        left join rest as postcode on postcode.token = r.postcode_token
    """
    keys = ", ".join(
        f"case when ({sql}) is not null then hash({sql}) end as key_{key}" for key, sql in model.keys.items()
    )
    db.execute(f"create or replace table features as select *, {keys} from ({columns})")
    for table in ("meanings", "names", "rest"):
        db.execute(f"drop table {table}")


def _read_values(db: "DuckDBPyConnection", records: str, paths: list[str]) -> None:
    """Table ``meanings`` (token, semantic_type, n): the normalised value of each token; ``v`` is the value."""
    apart = "given_name_token is not null and family_name_token is not null"
    wanted = " union ".join(
        f"select {token}_token as token from {records} where {token}_token is not null"
        + (f" and not ({apart})" if token == "name" else "")
        for token in TOKENS
        if token != "phone"
    )
    of_type = " ".join(f"when {literal(kind)} then {privacy.normaliser(kind)}" for kind in READ)
    files = f"read_parquet([{', '.join(map(literal, paths))}])" if paths else _NOTHING
    db.execute(f"""
        create or replace table meanings as
        select token, semantic_type, case semantic_type {of_type} end as n
        from (
            select token, any_value(semantic_type) as semantic_type, any_value(value) as v
            from {files}
            where semantic_type in ({", ".join(map(literal, READ))}) and token in ({wanted})
            group by token
        )
    """)


#: SQL of the words of a whole name, in the order of letters.
_NAME = (
    "coalesce(array_to_string(list_sort(string_split(given.words || ' ' || family.words, ' ')), ' '),"
    " whole.words, given.words, family.words)"
)

_NOTHING = "(select null::varchar as semantic_type, null::varchar as token, null::varchar as value limit 0)"


def _make_names(db: "DuckDBPyConnection", model: Model) -> None:
    """Table ``names``: per token its words in Latin letters, their letters, its characters if they are Chinese."""
    _spell_chinese(db)
    db.execute(f"""
        create or replace table names as
        select token, {_without_titles("latin")} as words, n as characters_or_letters, is_chinese
        from (
            select
                m.token, m.n, s.spelling is not null as is_chinese,
                {_folded("coalesce(s.spelling, m.n)")} as latin
            from meanings as m
            left join spellings as s on s.n = m.n
            where m.semantic_type = 'name' and m.n is not null
        )
    """)
    db.execute(f"""
        create or replace table names as
        select
            names.token, names.words, {_sorted_letters("names.words")} as letters,
            case when names.is_chinese then names.characters_or_letters end as characters,
            {_frequency("given", model)} as tf_given, given.tf is not null as is_given_known,
            {_frequency("family", model)} as tf_family
        from names
        left join tf_of_given as given on given.value = names.words
        left join tf_of_family as family on family.value = names.words
    """)


def _register_frequencies(db: "DuckDBPyConnection", column: str, model: Model) -> None:
    import pyarrow as pa

    values = model.term_frequencies[column].values
    table = pa.table(
        {"value": pa.array(list(values), pa.string()), "tf": pa.array(list(values.values()), pa.float64())}
    )
    db.register("frequencies", table)
    db.execute(f"create or replace temp table tf_of_{column} as select * from frequencies")
    db.unregister("frequencies")


def _frequency(column: str, model: Model) -> str:
    """SQL of the frequency of what was joined from ``tf_of_<column>`` under that name."""
    return f"coalesce({column}.tf, {model.term_frequencies[column].floor!r})::double"


def _together(model: Model) -> str:
    """SQL of how many times more often a name's parts stand together than by chance, as far as is listed; else 1."""
    floors = [model.term_frequencies[part].floor for part in ("given", "family")]
    chance = f"coalesce(given.tf_given, {floors[0]!r}) * coalesce(family.tf_family, {floors[1]!r})"
    return f"greatest(coalesce(together.tf / ({chance}), 1), 1)::double"


def _spell_chinese(db: "DuckDBPyConnection") -> None:
    """Temp table ``spellings`` (n, spelling): Chinese names in pinyin, their syllables in the order of letters."""
    import pyarrow as pa

    found = db.sql(
        r"select distinct n from meanings where semantic_type = 'name' and regexp_matches(n, '\p{Han}')"
    ).to_arrow_table()
    names = found["n"].to_pylist()
    spelt = pa.table({"n": pa.array(names, pa.string()), "spelling": pa.array(map(pinyin, names), pa.string())})
    db.register("spelt", spelt)
    db.execute("create or replace temp table spellings as select * from spelt")
    db.unregister("spelt")


def pinyin(name: str) -> str:
    """A Chinese name in Latin letters without tones, a word a syllable, in the order of letters: ``wei zhang``."""
    from pypinyin import lazy_pinyin

    syllables = (syllable for word in name.split() for syllable in lazy_pinyin(word))
    return " ".join(sorted(syllable.strip().replace("v", "u") for syllable in syllables))


def titles() -> list[str]:
    """Words that are no name where two others are: ``dr``, ``herr``; as nameparser knows them."""
    from nameparser.config import titles as known

    return [*sorted(word for word in known.TITLES if word.isascii() and word.isalpha()), "frau", "herr"]


def _without_titles(words: str) -> str:
    """SQL of the words but titles, where at least two others are left; in the order of letters."""
    known = ", ".join(map(literal, titles()))
    rest = f"list_filter(string_split({words}, ' '), lambda word: word not in ({known}))"
    return (
        f"case when contains({words}, ' ') and length({rest}) >= 2 then array_to_string({rest}, ' ') else {words} end"
    )


def _folded(text: str) -> str:
    """SQL of a lower-case text in which one letter has one form, sorted by words: mueller, müller, muller are one."""
    for letter, plain in _LETTERS.items():
        text = f"replace({text}, {literal(letter)}, {literal(plain)})"
    text = f"regexp_replace({text}, '([aou])e', '\\1', 'g')"
    return f"array_to_string(list_sort(string_split({text}, ' ')), ' ')"


def _sorted_letters(text: str) -> str:
    return f"array_to_string(list_sort(string_split(replace({text}, ' ', ''), '')), '')"


def _make_rest(db: "DuckDBPyConnection", model: Model) -> None:
    """Table ``rest`` (token, meaning, birth_key, tf_birth_date): all but names."""
    db.execute(f"""
        create or replace table rest as
        select
            token,
            case semantic_type
                when 'email' then {_mailbox("n")} when 'address' then {_street("n")} else n
            end as meaning,
            case when semantic_type = 'birth_date' then {_birth_key("n")} end as birth_key,
            {_frequency("birth_date", model)} as tf_birth_date
        from meanings
        left join tf_of_birth_date as birth_date on birth_date.value = n
        where semantic_type <> 'name' and n is not null
    """)


def _birth_key(day: str) -> str:
    """SQL of a day with day and month in the order of numbers: some forms have them the other way round."""
    month, of_month = f"substr({day}, 6, 2)", f"substr({day}, 9, 2)"
    return f"left({day}, 5) || least({month}, {of_month}) || '-' || greatest({month}, {of_month})"


def _mailbox(address: str) -> str:
    """SQL of the mailbox an address is of: without a tag, and without dots where the provider ignores them."""
    local, domain = f"split_part({address}, '@', 1)", f"split_part({address}, '@', 2)"
    untagged = f"regexp_replace({local}, '(.)\\+.*$', '\\1')"
    return (
        f"case when {domain} in ('gmail.com', 'googlemail.com') then replace({untagged}, '.', '') || '@gmail.com'"
        f" else {untagged} || '@' || {domain} end"
    )


def _street(address: str) -> str:
    """SQL of an address with streets in short and one form of a letter."""
    for short, full in _STREETS.items():
        glued = "" if short == "str" else "\\b"
        address = f"regexp_replace({address}, '{glued}({full})\\b', ' {short}', 'g')"
    return _one_form(address)


def _one_form(text: str) -> str:
    for letter, plain in _LETTERS.items():
        text = f"replace({text}, {literal(letter)}, {literal(plain)})"
    return rf"trim(regexp_replace(regexp_replace({text}, '([aou])e', '\1', 'g'), '\s+', ' ', 'g'))"


def _town(city: str) -> str:
    """SQL of a town as an address says it."""
    words = rf"regexp_replace(lower(strip_accents({city})), '[^\p{{L}}\p{{N}}]+', ' ', 'g')"
    return f"nullif({_one_form(words)}, '')"


def _street_alone(address: str, postcode: str, town: str) -> str:
    """SQL of an address without the postcode and town, which are compared too."""
    alone = f"' ' || {address} || ' '"
    for part in (postcode, town):
        alone = f"replace({alone}, ' ' || coalesce(lower({part}), '-') || ' ', ' ')"
    return f"nullif(trim({alone}), '')"
