-- A row returned is a metric, day and breakdown whose parts do not add up to the total.
with

metrics as (
    select * from {{ ref('cx_metrics_daily') }}
),

parts as (
    select
        metric,
        metric_date,
        dimension_set,
        sum(n) as n,
        sum(n_answers) as n_answers,
        sum(n_left_out) as n_left_out,
        sum(numerator_sum) as numerator_sum
    from metrics
    where dimension_set <> 'total'
    group by metric, metric_date, dimension_set
),

totals as (
    select * from metrics
    where dimension_set = 'total'
)

select
    totals.metric,
    totals.metric_date,
    parts.dimension_set
from totals
left join parts
    on
        totals.metric = parts.metric
        and totals.metric_date = parts.metric_date
where
    parts.n is distinct from totals.n
    or parts.n_answers is distinct from totals.n_answers
    or parts.n_left_out is distinct from totals.n_left_out
    or parts.numerator_sum is distinct from totals.numerator_sum
