with

windows as (
    select 1 as window_days
    union all
    {{ cx_window_rows() | indent(4) }}
),

known as (
    select * from {{ ref('int_cx__observation_days') }}
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

digests as (
    select
        t.metric,
        t.window_days,
        t.metric_date,
        sum(k.digest) as digest
    from told as t
    inner join known as k
        on
            t.metric = k.metric
            and t.metric_date >= k.metric_date
            and t.metric_date < {{ add_days('k.metric_date', 't.window_days') }}
    group by t.metric, t.window_days, t.metric_date
),

-- ends of months are days of their own
united as (
    select
        t.*,
        g.digest
    from told as t
    left join digests as g
        on
            t.metric = g.metric
            and t.window_days = g.window_days
            and t.metric_date = g.metric_date
    union all
    select
        m.metric,
        1 as window_days,
        m.metric_date,
        m.final_date,
        {{ digest_of_rows('m') }} as digest
    from {{ ref('int_cx__month_cells') }} as m
    group by m.metric, m.metric_date, m.final_date
)

-- a median is told when the mean of the same contacts is
select
    r.metric,
    u.window_days,
    u.metric_date,
    u.final_date,
    u.final_date <= {{ as_of() }} as is_final,
    2 * u.digest + case when u.final_date <= {{ as_of() }} then 1 else 0 end as digest
from united as u
inner join {{ ref('cx_metric_registry') }} as r on u.metric = coalesce(r.quantile_of, r.metric)
