{# Keys made of several columns, and lists. #}

{#
  Distinct values as one text, in their own order. Spark: array_join(array_sort(collect_set())).
#}
{% macro distinct_list(x, separator=", ") -%}
    string_agg(distinct {{ x }}, '{{ separator }}' order by {{ x }})
{%- endmacro %}
