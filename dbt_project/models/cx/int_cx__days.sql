with

windows as (
    select 1 as window_days
    union all
    {{ cx_window_rows() | indent(4) }}
),

known as (
    select
        metric,
        metric_date,
        max(final_date) as final_date
    from {{ ref('int_cx__observations') }}
    group by metric, metric_date
),

spans as (
    select
        metric,
        min(metric_date) as first_date
    from known
    group by metric
),

days as (
    select distinct metric_date from known
),

-- a window is final when all its days are; later days are never final sooner
dated as (
    select
        s.metric,
        s.first_date,
        d.metric_date,
        max(k.final_date) over (
            partition by s.metric
            order by d.metric_date
        ) as final_date
    from spans as s
    inner join days as d on s.first_date <= d.metric_date
    left join known as k
        on
            s.metric = k.metric
            and d.metric_date = k.metric_date
),

told as (
    select
        d.metric,
        w.window_days,
        d.metric_date,
        d.final_date
    from dated as d
    inner join windows as w on {{ add_days('d.first_date', 'w.window_days - 1') }} <= d.metric_date
),

-- ends of months are days of their own
united as (
    select * from told
    union all
    select distinct
        metric,
        1 as window_days,
        metric_date,
        final_date
    from {{ ref('int_cx__month_cells') }}
)

select * from united
