{#
  Columns that have nulls, and in how many rows each is the first without a value: one pass over all of
  them. For tests.
#}
{% macro null_columns(model, columns, scope='true') -%}
select
    column_name,
    count(*) as row_count
from (
    select
        case
            {%- for column in columns %}
            when {{ column }} is null then '{{ column }}'
            {%- endfor %}
        end as column_name
    from {{ model }}
    where ({{ columns | join(" is null or ") }} is null) and {{ scope }}
) as nulls
group by column_name
{%- endmacro %}
