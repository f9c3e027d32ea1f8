"""SQL of models and tests is what DuckDB and Spark both understand in the same way; the rest is behind macros."""

import re
from pathlib import Path

import pytest
import yaml

from cx360.warehouse import DBT_PROJECT

#: What may not stand in a model: pattern, an example it must catch, and what to write instead.
FORBIDDEN = (
    (r"::", "x::date", "cast(x as date)"),
    (r"\bas (varchar|text|string)\b", "cast(x as varchar)", "type_text(); the engines name it differently"),
    (r"\btimestamp", "cast(x as timestamptz)", "utc_midnight() or instant_of(); only their instants are the same"),
    (r"\b(try_cast|safe_cast)\b", "try_cast(x as int)", "a macro of macros/numbers.sql; landing has typed the rows"),
    (r"\b(hugeint|uhugeint|ubigint|float|real)\b", "cast(x as float)", "bigint, double or decimal"),
    (r"(?<![<*/])/(?![>*/])", "a / b", "divide(); Spark divides decimals to another scale"),
    (r"//|\bdiv\b", "a // b", "seconds_between(), or a macro beside it"),
    (r"\bavg\(", "avg(x)", "average() of an exact sum and a count"),
    (r"\bround\(", "round(x, 2)", "round_double() or convert_money(); ties of doubles differ"),
    (r"\b(median|mode|quantile\w*|percentile\w*)\(", "median(x)", "a macro of macros/numbers.sql, one per engine"),
    (r"\b(string_agg|listagg|group_concat)\b", "string_agg(x, ',')", "distinct_list()"),
    (r"\b(array_agg|list|collect_\w+)\(", "array_agg(x)", "distinct_list(), or a macro beside it; order it"),
    (r"\b(unnest|explode|flatten|generate_series|range)\(", "unnest(x)", "a macro of macros/text_and_lists.sql"),
    (r"\b(struct_pack|struct|map)\(", "struct(a, b)", "columns; types of nested values differ"),
    (r"\b(any_value|first|last|arg_min|arg_max)\(", "arg_min(x, y)", "min_by() or max_by() over a unique order"),
    (r"\bfilter ?\((?!where\b)", "count(*) filter (x)", "filter (where x)"),
    (r"\bqualify\b", "qualify row_number() = 1", "a ranked CTE and where"),
    (r"\b(group|order) by all\b", "group by all", "the columns; Spark orders nulls otherwise"),
    (r"\bdistinct on\b", "select distinct on (a)", "row_number() = 1 over a unique order"),
    (r"\* (exclude|except|replace|rename)\b", "* exclude (a)", "the columns"),
    (r"\b(by name|positional|asof)\b", "union all by name", "the columns, in one order"),
    (r"\b(semi|anti) join\b", "anti join t", "exists or not exists"),
    (r"\binterval\b", "interval 1 day", "add_days() or add_hours()"),
    (r"\btimezone\(|\bat time zone\b", "timezone('UTC', x)", "local_date(), local_timestamp() or instant_of()"),
    (
        r"\b(date_?diff|date_?add|date_?sub|date_trunc|date_part|extract|epoch\w*|strftime|to_char)\(",
        "date_trunc('month', x)",
        "a macro of macros/time.sql",
    ),
    (r"\b(now\(|current_date|current_timestamp|today\()", "current_date", "as_of(); answers know no clock"),
    (r"\b(regexp_\w+|rlike|similar to)\b", "regexp_matches(a, b)", "like, or a macro of macros/text_and_lists.sql"),
    (r"->|\b(json_\w+|get_json_object)\b", "x ->> 'a'", "a column of the contract; landing reads JSON"),
    (r"\b(md5|sha256|sha2|hash|xxhash64)\(", "md5(x)", "a macro of macros/text_and_lists.sql; encodings differ"),
    (r'"', 'select "a"', "a name without quotes; for Spark this is a text"),
    (r"\\", r"like '\_%' ", "a pattern without a backslash; Spark reads it as an escape"),
    (r"strategy='(?!run_scope')", "incremental_strategy='merge'", "run_scope; Parquet on Spark cannot merge"),
)

MODELS = sorted([*(DBT_PROJECT / "models").rglob("*.sql"), *(DBT_PROJECT / "tests").rglob("*.sql")])


def bare(sql: str) -> str:
    """The SQL of a file in lowercase, without comments, statements of Jinja and quotes of its arguments."""
    sql = re.sub(r"{#.*?#}|{%.*?%}|--[^\n]*", " ", sql.lower(), flags=re.DOTALL)
    return re.sub(r"{{.*?}}", lambda found: found[0].replace('"', " "), sql, flags=re.DOTALL)


@pytest.mark.parametrize(("pattern", "example", "instead"), FORBIDDEN, ids=[each[1] for each in FORBIDDEN])
def test_models_keep_to_what_both_engines_understand(pattern: str, example: str, instead: str) -> None:
    assert re.search(pattern, bare(example)), "the pattern does not catch its own example"
    found = [path.relative_to(DBT_PROJECT).as_posix() for path in MODELS if re.search(pattern, bare(path.read_text()))]
    assert not found, f"{', '.join(found)}: instead of {example} write {instead}"


def test_every_macro_of_one_engine_is_there_for_the_other() -> None:
    text = "\n".join(path.read_text() for path in (DBT_PROJECT / "macros").glob("*.sql"))
    dispatched = set(re.findall(r"adapter\.dispatch\('(\w+)'", text))
    assert dispatched
    for engine in ("default", "spark"):
        assert dispatched <= set(re.findall(rf"macro {engine}__(\w+)\(", text)), engine


def test_a_view_does_not_read_schema_raw() -> None:
    """On Spark raw exists in a session only, and a view that outlives it may not read it."""
    views = {
        model["name"]
        for path in (DBT_PROJECT / "models").rglob("*.yml")
        for model in (yaml.safe_load(path.read_text()) or {}).get("models", ())
        if model.get("config", {}).get("materialized") == "view"
    }
    assert views
    wrong = [path.name for path in MODELS if path.stem in views and re.search(r"source\(.raw", path.read_text())]
    assert not wrong, f"{', '.join(wrong)}: make it a table"


def test_comments_and_jinja_are_not_sql(tmp_path: Path) -> None:
    assert bare("select a -- a / b\n{# a::b #}{% set x = 'now()' %}from {{ ref(\"t\") }}").split() == [
        "select", "a", "from", "{{", "ref(", "t", ")", "}}",
    ]  # fmt: skip
