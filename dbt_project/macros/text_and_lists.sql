{# Texts, keys made of several columns, and lists. #}

{# The type of a text, for casts. Spark: string. #}
{% macro type_text() -%}varchar{%- endmacro %}


{#
  Distinct values as one text, in their own order. Spark: array_join(array_sort(collect_set())).
#}
{% macro distinct_list(x, separator=", ") -%}
    string_agg(distinct {{ x }}, '{{ separator }}' order by {{ x }})
{%- endmacro %}
