with

parts as (
    select * from {{ ref('int_cx__month_parts') }}
),

rules as (
    select * from {{ ref('int_cx__rules') }}
),

sides as (
    select
        metric,
        dimension,
        month_date,
        dimension_value,
        0 as n_before,
        n as n_after,
        cast(0 as decimal(38, 6)) as sum_before,
        total as sum_after
    from parts
    union all
    select
        metric,
        dimension,
        {{ add_months('month_date', 1) }} as month_date,
        dimension_value,
        n as n_before,
        0 as n_after,
        total as sum_before,
        cast(0 as decimal(38, 6)) as sum_after
    from parts
),

pairs as (
    select
        metric,
        dimension,
        month_date,
        dimension_value,
        {{ sum_integer('n_before') }} as n_before,
        {{ sum_integer('n_after') }} as n_after,
        sum(sum_before) as sum_before,
        sum(sum_after) as sum_after
    from sides
    group by metric, dimension, month_date, dimension_value
),

-- a part that is small in a period it is there in says little of either
sized as (
    select
        p.*,
        p.n_before between 1 and r.move_minimum_n - 1
        or p.n_after between 1 and r.move_minimum_n - 1 as is_pooled
    from pairs as p
    cross join rules as r
),

pooled as (
    select
        metric,
        dimension,
        month_date,
        is_pooled,
        case when is_pooled then '(pooled)' else dimension_value end as dimension_value,
        count(*) as dimension_value_count,
        {{ sum_integer('n_before') }} as n_before,
        {{ sum_integer('n_after') }} as n_after,
        cast(sum(sum_before) as decimal(38, 6)) as sum_before,
        cast(sum(sum_after) as decimal(38, 6)) as sum_after
    from sized
    group by
        metric,
        dimension,
        month_date,
        is_pooled,
        case when is_pooled then '(pooled)' else dimension_value end
)

select * from pooled
