{#
  No column has a null. One pass over all of them; a failing row says which column, and in how many
  rows it is the first without a value.
#}
{% test has_no_nulls(model, columns) %}

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
    where {{ columns | join(" is null or ") }} is null
) as nulls
group by column_name

{% endtest %}
