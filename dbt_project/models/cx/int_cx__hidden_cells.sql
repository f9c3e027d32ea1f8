{#-
  Cells of so few that they would tell of persons (definitions: identifying), and with them another
  of the same total, so that no difference gives one, or few, away. A pair has lines and columns,
  which add up to the cells of one dimension.
-#}
{%- set days = 'window_days, metric, metric_date' -%}
{%- set totals = days ~ ', dimension_set' -%}
{%- set keys = totals ~ ', digest, ' ~ cx_dimension_columns() -%}

with

to_compute as (
    {{ rows_to_compute(ref('int_cx__days')) | indent(4) }}
),

-- a median is hidden where the mean of the same contacts is
cells as (
    select
        d.window_days,
        d.metric,
        d.metric_date,
        d.digest,
        m.dimension_set,
        {{ cx_dimension_columns('m') }},
        m.n,
        r.identifying_below_n,
        m.n < r.identifying_below_n as is_hidden_0,
        {{ cx_line_and_column('m') | indent(8) }},
        d.metric = m.metric as has_pairs
    from to_compute as d
    inner join {{ ref('cx_metric_registry') }} as q on d.metric = q.metric
    inner join {{ ref('int_cx__metrics') }} as m
        on
            m.metric = coalesce(q.quantile_of, d.metric)
            and d.window_days = m.window_days
            and d.metric_date = m.metric_date
    cross join {{ ref('int_cx__rules') }} as r
    where
        not m.is_told_by_n
        and m.n > 0
),

cells_0 as (
    select * from cells
    -- on other days nothing is hidden
    where ({{ days }}) in (select {{ days }} from cells as c where c.is_hidden_0)
),

{{ cx_second_cells(totals, ['line', 'column', 'line']) }},

-- a part alone in its line is told where the line is
placed as (
    select
        c.*,
        {%- for part in ['line', 'column'] %}
        not coalesce({{ part }}_totals.is_hidden_3, false) as is_{{ part }}_told,
        not coalesce({{ part }}_totals.is_hidden_3, false)
        and count(*) over (
            partition by c.{{ totals | replace(', ', ', c.') }}, c.{{ part }}_value
        ) = 1 as is_alone_in_{{ part }}{{ "," if not loop.last }}
        {%- endfor %}
    from cells_3 as c
    {%- for part in ['line', 'column'] %}
    left join cells_3 as {{ part }}_totals
        on
            c.window_days = {{ part }}_totals.window_days
            and c.metric = {{ part }}_totals.metric
            and c.metric_date = {{ part }}_totals.metric_date
            and c.{{ part }}_dimension = {{ part }}_totals.dimension_set
            and c.{{ part }}_value = {{ part }}_totals.column_value
    {%- endfor %}
    where c.line_dimension is not null
),

-- open: one part or few are left that nothing hides, or the parts tell a sum that is hidden
judged as (
    select
        *,
        {%- set is_own = 'not is_alone_in_line and not is_alone_in_column' %}
        {%- for part in ['line', 'column'] %}
        {%- set over = 'over (partition by ' ~ totals ~ ', ' ~ part ~ '_value)' %}
        case
            when is_{{ part }}_told then {{ cx_is_of_few('is_hidden_3 and ' ~ is_own, over) }}
            else {{ count_if('is_hidden_3') }} {{ over }} = 0
        end as is_{{ part }}_open,
        is_{{ part }}_told and {{ cx_is_of_few(is_own, over) }} as is_{{ part }}_bare
        {{- "," if not loop.last }}
        {%- endfor %}
    from placed
),

pairs as (
    select
        {{ totals }},
        column_dimension,
        {{ count_if('is_line_bare or is_column_bare') }} > 0 as is_bare
    from judged
    group by {{ totals }}, column_dimension
    having {{ count_if('is_line_open or is_column_open') }} > 0
),

hidden as (
    select {{ keys }} from cells_3
    where
        (has_pairs or line_dimension is null)
        and (
            is_hidden_3
            or ({{ totals }}) in (select {{ totals }} from pairs)
            {%- for part in ['line', 'column'] %}
            or ({{ days }}, {{ part }}_dimension) in (
                select {{ days }}, column_dimension from pairs
                where is_bare
            )
            {%- endfor %}
        )
)

select * from hidden
