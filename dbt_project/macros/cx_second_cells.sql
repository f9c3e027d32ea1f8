{#
  Line and column of a cell, and the dimensions whose cells they add up to: both of a pair, of one
  dimension the column.
#}
{% macro cx_line_and_column(relation) -%}
    {%- for part, place, least in [('line', 0, 2), ('column', -1, 1)] %}
    case {{ relation }}.dimension_set
        {%- for names in cx_dimension_sets() if names | length >= least %}
        when '{{ cx_dimension_set_name(names) }}' then '{{ names[place] }}'
        {%- endfor %}
    end as {{ part }}_dimension,
    case {{ relation }}.dimension_set
        {%- for names in cx_dimension_sets() if names | length >= least %}
        when '{{ cx_dimension_set_name(names) }}' then {{ relation }}.{{ names[place] }}
        {%- endfor %}
        else '(all)'
    end as {{ part }}_value{{ "," if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{# Whether the cells of a condition are a single one, or together of so few that they tell of persons. #}
{% macro cx_is_of_few(condition, over='') -%}
    ({{ count_if(condition) }} {{ over }} = 1
            or coalesce(
                sum(case when {{ condition }} then n end) {{ over }} < identifying_below_n, false
            ))
{%- endmacro %}

{#
  Of cells_0, with is_hidden_0, line_value and column_value, the CTEs cells_1 and so on: where one part
  of a total is hidden, or parts of few, the smallest other one too; along lines and columns in the order of parts.
#}
{% macro cx_second_cells(totals, parts) -%}
{%- for part in parts %}
{%- set other = {'line': 'column', 'column': 'line'}[part] %}
counted_{{ loop.index }} as (
    select
        *,
        {{ cx_is_of_few(
            'is_hidden_' ~ loop.index0, 'over (partition by ' ~ totals ~ ', ' ~ part ~ '_value)'
        ) }} as is_of_few_{{ loop.index }},
        row_number() over (
            partition by {{ totals }}, {{ part }}_value, is_hidden_{{ loop.index0 }}
            order by n, {{ other }}_value
        ) as place_{{ loop.index }}
    from cells_{{ loop.index0 }}
),

cells_{{ loop.index }} as (
    select
        *,
        is_hidden_{{ loop.index0 }}
        or (
            is_of_few_{{ loop.index }}
            and place_{{ loop.index }} = 1
        ) as is_hidden_{{ loop.index }}
    from counted_{{ loop.index }}
){{ ",\n" if not loop.last }}
{%- endfor %}
{%- endmacro %}
