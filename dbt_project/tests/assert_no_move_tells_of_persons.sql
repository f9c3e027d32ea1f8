-- A row returned is a part of a month, or what its two moves leave untold, of identifyingly few.
with

moves as (
    select * from {{ ref('cx_metric_moves') }}
),

rules as (
    select * from {{ ref('int_cx__rules') }}
),

-- a month stands in two moves: it is after in one and before in the other
sides as (
    select
        metric,
        dimension,
        month_date as told_month,
        month_date,
        dimension_value,
        is_pooled,
        n_after as n
    from moves
    union all
    select
        metric,
        dimension,
        {{ add_months('month_date', -1) }} as told_month,
        month_date,
        dimension_value,
        is_pooled,
        n_before as n
    from moves
),

wholes as (
    select
        metric,
        dimension,
        told_month,
        month_date,
        {{ sum_integer('n') }} as n
    from sides
    group by metric, dimension, told_month, month_date
),

alone as (
    select distinct
        metric,
        dimension,
        told_month,
        dimension_value,
        n
    from sides
    where not is_pooled
),

told as (
    select
        metric,
        dimension,
        told_month,
        {{ sum_integer('n') }} as n
    from alone
    group by metric, dimension, told_month
),

untold as (
    select
        w.metric,
        w.dimension,
        w.told_month,
        '(untold)' as dimension_value,
        w.n - coalesce(t.n, 0) as n
    from wholes as w
    left join told as t
        on
            w.metric = t.metric
            and w.dimension = t.dimension
            and w.told_month = t.told_month
),

counted as (
    select
        metric,
        dimension,
        told_month,
        dimension_value,
        n
    from sides
    union all
    select * from untold
)

select c.*
from counted as c
cross join rules as r
where
    c.n < 0
    or c.n between 1 and r.identifying_below_n - 1
