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
