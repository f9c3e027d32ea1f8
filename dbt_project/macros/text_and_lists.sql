{# Texts, keys made of several columns, and lists. #}

{# The type of a text, for casts. #}
{% macro type_text() -%}
    {{ return(adapter.dispatch('type_text')()) }}
{%- endmacro %}

{% macro default__type_text() -%}varchar{%- endmacro %}

{% macro spark__type_text() -%}string{%- endmacro %}

{# Distinct values as one text, in their own order; null without any. #}
{% macro distinct_list(x, separator=", ") -%}
    {{ return(adapter.dispatch('distinct_list')(x, separator)) }}
{%- endmacro %}

{% macro default__distinct_list(x, separator) -%}
    string_agg(distinct {{ x }}, '{{ separator }}' order by {{ x }})
{%- endmacro %}

{% macro spark__distinct_list(x, separator) -%}
    nullif(array_join(array_sort(collect_set({{ x }})), '{{ separator }}'), '')
{%- endmacro %}

{# Whole numbers from 0 on, so many, as rows of column number; stands after from. #}
{% macro numbers(count) -%}
    {{ return(adapter.dispatch('numbers')(count)) }}
{%- endmacro %}

{% macro default__numbers(count) -%}
    (select cast(unnest(generate_series(0, {{ count - 1 }})) as bigint) as number)
{%- endmacro %}

{% macro spark__numbers(count) -%}
    (select explode(sequence(cast(0 as bigint), cast({{ count - 1 }} as bigint))) as number)
{%- endmacro %}
