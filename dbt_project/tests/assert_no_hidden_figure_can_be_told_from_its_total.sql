-- A row returned is a total that is told while one part only is hidden, or parts of few together,
-- so that a difference gives them away, or a hidden total whose parts are all told. Totals of a
-- pair's parts are the cells of one dimension; a part alone in one that is told is told by it.
-- Looked at are the days of a quarter, which late rows move most: one rule hides on all days.
{%- set days = 'window_days, metric, metric_date' %}
with

hidden_cells as (
    select * from {{ ref('int_cx__hidden_cells') }}
),

-- where nothing is hidden, nothing can be told
metrics as (
    select * from {{ ref('int_cx__metrics') }}
    where
        not is_told_by_n
        and n > 0
        and metric_date > {{ days_before_as_of(92) }}
        and ({{ days }}) in (select {{ days }} from hidden_cells)
),

marked as (
    select
        m.window_days,
        m.metric,
        m.metric_date,
        m.dimension_set,
        m.n,
        r.identifying_below_n,
        {{ cx_line_and_column('m') | indent(8) }},
        h.metric is not null as is_hidden
    from metrics as m
    left join hidden_cells as h
        on
            m.window_days = h.window_days
            and m.metric = h.metric
            and m.metric_date = h.metric_date
            and {{ cx_is_same_cell('m', 'h') | indent(12) }}
    cross join {{ ref('int_cx__rules') }} as r
),

parts as (
    {%- for part in ['line', 'column'] %}
    select
        p.*,
        '{{ part }}' as total_of,
        p.{{ part }}_value as total_value,
        t.is_hidden as is_total_hidden,
        count(*) over (
            partition by
                p.window_days, p.metric, p.metric_date, p.dimension_set, p.{{ part }}_value
        ) as part_count
    from marked as p
    inner join marked as t
        on
            p.window_days = t.window_days
            and p.metric = t.metric
            and p.metric_date = t.metric_date
            and coalesce(p.{{ part }}_dimension, 'total') = t.dimension_set
            and p.{{ part }}_value = t.column_value
    {{ "union all" if not loop.last }}
    {%- endfor %}
),

judged as (
    select
        *,
        {{ count_if('part_count = 1 and not is_total_hidden') }} over (
            partition by {{ days }}, dimension_set, line_value, column_value
        ) > 0 as is_alone
    from parts
)

select
    {{ days }},
    dimension_set,
    total_of,
    total_value
from judged
group by {{ days }}, dimension_set, total_of, total_value, is_total_hidden, identifying_below_n
having
    (not is_total_hidden and {{ cx_is_of_few('is_hidden and not is_alone') }})
    or (is_total_hidden and {{ count_if('is_hidden') }} = 0)
