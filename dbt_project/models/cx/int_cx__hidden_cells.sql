{#-
  Cells of so few that they would tell of persons (definitions: identifying), and with each a second
  cell of the same total, so that no difference gives it away. A pair has lines and columns of totals.
-#}
{%- set totals = 'window_days, metric, metric_date, dimension_set' -%}
{%- set keys = totals ~ ', digest, ' ~ cx_dimension_columns() -%}

with

days as (
    {{ rows_to_compute(ref('int_cx__days')) | indent(4) }}
),

cells as (
    select
        m.*,
        m.n < r.identifying_below_n as is_small
    from {{ ref('int_cx__metrics') }} as m
    inner join days as d
        on
            m.metric = d.metric
            and m.window_days = d.window_days
            and m.metric_date = d.metric_date
    cross join {{ ref('int_cx__rules') }} as r
    where
        not m.is_told_by_n
        and m.n > 0
),

-- in other breakdowns nothing is hidden
breakdowns as (
    select distinct {{ totals }}
    from cells
    where is_small
),

cells_0 as (
    select
        {{ keys }},
        n,
        is_small as is_hidden_0,
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
    from cells
    where ({{ totals }}) in (select {{ totals }} from breakdowns)
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

-- where lines and columns still leave one part alone, the whole breakdown of the day is hidden
judged as (
    select
        *,
        {%- for part in ['line', 'column'] %}
        {{ count_if('is_hidden_3') }} over (
            partition by {{ totals }}, {{ part }}_value
        ) = 1
        and count(*) over (
            partition by {{ totals }}, {{ part }}_value
        ) > 1 as is_{{ part }}_open
        {{- "," if not loop.last }}
        {%- endfor %}
    from cells_3
),

closed as (
    select
        *,
        {{ count_if('is_line_open or is_column_open') }} over (
            partition by {{ totals }}
        ) > 0 as is_open
    from judged
),

hidden as (
    select {{ keys }} from closed
    where is_hidden_3 or is_open
)

select * from hidden
