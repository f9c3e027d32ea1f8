with

activity as (
    select * from {{ ref('int_segments__activity') }}
),

windows as (
    select * from {{ ref('int_segments__windows') }}
),

summed as (
    select
        a.profile_id,
        w.month_start,
        {{ sum_integer('case when w.months_ago < 3 then a.active_day_count end') }}
            as active_day_3m_count,
        {{ sum_integer('case when w.months_ago between 3 and 5 then a.active_day_count end') }}
            as active_day_prior_3m_count,
        {{ sum_integer('a.active_day_count') }} as active_day_12m_count,
        {{ sum_integer('a.app_day_count') }} as app_day_12m_count,
        {{ sum_money('a.initiated_amount') }} as initiated_12m_amount,
        max(a.last_active_date) as last_active_date
    from activity as a
    inner join windows as w
        on
            a.month_number = w.month_number
            and a.is_late = w.is_late
    group by a.profile_id, w.month_start
)

select * from summed
