-- A row returned is a cell of a window whose median is not of as many observations as its n tells,
-- or a median of no cell, or one outside its interval.
with

cells as (
    select * from {{ ref('int_cx__cells') }}
    where
        is_median
        and n > 0
),

medians as (
    select * from {{ ref('int_cx__medians') }}
)

select
    coalesce(c.counted_metric, q.metric) as metric,
    coalesce(c.window_days, q.window_days) as window_days,
    coalesce(c.metric_date, q.metric_date) as metric_date,
    coalesce(c.dimension_set, q.dimension_set) as dimension_set
from cells as c
full outer join medians as q
    on
        c.counted_metric = q.metric
        and c.window_days = q.window_days
        and c.metric_date = q.metric_date
        and {{ cx_is_same_cell('c', 'q') | indent(8) }}
where
    c.n is distinct from q.n
    or not coalesce(q.lower_value <= q.median_value, true)
    or not coalesce(q.median_value <= q.upper_value, true)
