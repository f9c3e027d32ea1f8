{#-
  Cells of so few that they would tell of persons (definitions: identifying), and with each a second
  cell of the same total, so that no difference gives it away. A pair has lines and columns of totals.
-#}
{%- set keys = 'window_days, metric, metric_date, dimension_set, ' ~ cx_dimension_columns() -%}
{%- set totals = 'window_days, metric, metric_date, dimension_set' -%}

with

cells_0 as (
    select
        {{ keys }},
        n,
        n < (select identifying_below_n from {{ ref('int_cx__rules') }}) as is_hidden_0,
        case dimension_set
            {%- for names in cx_dimension_sets() if names | length == 2 %}
            when '{{ cx_dimension_set_name(names) }}' then {{ names[0] }}
            {%- endfor %}
            else '(all)'
        end as line_value,
        case dimension_set
            {%- for names in cx_dimension_sets() if names %}
            when '{{ cx_dimension_set_name(names) }}' then {{ names[-1] }}
            {%- endfor %}
            else '(all)'
        end as column_value
    from {{ ref('int_cx__metrics') }}
    where
        not is_total
        and n > 0
),

{%- for of_totals, other in [
    ('line_value', 'column_value'), ('column_value', 'line_value'), ('line_value', 'column_value'),
] %}

counted_{{ loop.index }} as (
    select
        *,
        {{ count_if('is_hidden_' ~ loop.index0) }} over (
            partition by {{ totals }}, {{ of_totals }}
        ) as hidden_count,
        row_number() over (
            partition by {{ totals }}, {{ of_totals }}, is_hidden_{{ loop.index0 }}
            order by n, {{ other }}
        ) as place
    from cells_{{ loop.index0 }}
),

cells_{{ loop.index }} as (
    select
        {{ keys }},
        n,
        line_value,
        column_value,
        is_hidden_{{ loop.index0 }}
        or (hidden_count = 1 and place = 1) as is_hidden_{{ loop.index }}
    from counted_{{ loop.index }}
),
{%- endfor %}

hidden as (
    select {{ keys }} from cells_3
    where is_hidden_3
)

select * from hidden
