with

parts as (
    select * from {{ ref('int_cx__month_parts') }}
    where dimension <> 'total'
),

rules as (
    select * from {{ ref('int_cx__rules') }}
),

-- a part that is small in a month it is there in says little of it
sized as (
    select
        p.*,
        r.identifying_below_n,
        p.n < greatest(r.move_minimum_n, r.identifying_below_n) as is_small
    from parts as p
    cross join rules as r
),

counted as (
    select
        *,
        sum(case when is_small then n else 0 end) over (
            partition by metric, dimension, month_date
        ) as small_n,
        row_number() over (
            partition by metric, dimension, month_date, is_small
            order by n, dimension_value
        ) as place
    from sized
),

-- where all that are small would still tell of persons, the smallest other goes with them
judged as (
    select
        *,
        is_small
        or (place = 1 and small_n between 1 and identifying_below_n - 1) as is_pooled
    from counted
),

sides as (
    select
        metric,
        dimension,
        month_date,
        dimension_value,
        is_pooled,
        0 as n_before,
        n as n_after,
        cast(0 as decimal(38, 6)) as sum_before,
        value_sum as sum_after
    from judged
    union all
    select
        metric,
        dimension,
        {{ add_months('month_date', 1) }} as month_date,
        dimension_value,
        is_pooled,
        n as n_before,
        0 as n_after,
        value_sum as sum_before,
        cast(0 as decimal(38, 6)) as sum_after
    from judged
),

-- what is pooled in one month is in both
pairs as (
    select
        metric,
        dimension,
        month_date,
        dimension_value,
        {{ count_if('is_pooled') }} > 0 as is_pooled,
        {{ sum_integer('n_before') }} as n_before,
        {{ sum_integer('n_after') }} as n_after,
        sum(sum_before) as sum_before,
        sum(sum_after) as sum_after
    from sides
    group by metric, dimension, month_date, dimension_value
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
    from pairs
    group by
        metric,
        dimension,
        month_date,
        is_pooled,
        case when is_pooled then '(pooled)' else dimension_value end
)

select * from pooled
