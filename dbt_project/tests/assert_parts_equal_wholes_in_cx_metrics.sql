-- A row returned is a metric, window, day and breakdown whose parts do not add up to the total,
-- before anything is hidden.
with

metrics as (
    select * from {{ ref('int_cx__metrics') }}
),

parts as (
    select
        metric,
        window_days,
        metric_date,
        dimension_set,
        sum(n) as n,
        sum(n_answers) as n_answers,
        sum(n_left_out) as n_left_out,
        sum(value_sum) as value_sum
    from metrics
    where dimension_set <> 'total'
    group by metric, window_days, metric_date, dimension_set
),

totals as (
    select * from metrics
    where dimension_set = 'total'
)

select
    parts.metric,
    parts.window_days,
    parts.metric_date,
    parts.dimension_set
from parts
left join totals
    on
        parts.metric = totals.metric
        and parts.window_days = totals.window_days
        and parts.metric_date = totals.metric_date
where
    parts.n is distinct from totals.n
    or parts.n_answers is distinct from totals.n_answers
    or parts.n_left_out is distinct from totals.n_left_out
    or parts.value_sum is distinct from totals.value_sum
