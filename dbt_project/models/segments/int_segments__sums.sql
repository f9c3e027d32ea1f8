with

people as (
    select * from {{ ref('int_segments__people') }}
),

days as (
    select * from {{ ref('int_segments__days') }}
),

activity as (
    select
        *,
        {{ month_number('month_start') }} as month_number,
        {{ last_day_in('active_days', 'month_start') }} as last_active_date
    from {{ ref('int_segments__activity') }}
),

late as (
    select * from {{ ref('int_segments__late') }}
),

-- of whom no day is known is known since the bank tells of anybody
placed as (
    select
        p.profile_id,
        d.month_number,
        d.month_start,
        d.evaluation_date,
        d.is_final,
        {{ days_between('d.first_active_date', 'd.evaluation_date') }} + 1 as observed_days
    from people as p
    inner join days as d on coalesce(p.known_from_date <= d.evaluation_date, true)
),

-- with the months before those that are placed, on which they look back
months as (
    select
        coalesce(p.profile_id, a.profile_id) as profile_id,
        coalesce(p.month_number, a.month_number) as month_number,
        p.month_start,
        p.evaluation_date,
        p.is_final,
        p.observed_days,
        bit_count(a.active_days) as active_day_count,
        bit_count(a.app_days) as app_day_count,
        a.initiated_amount,
        a.last_active_date
    from placed as p
    full join activity as a
        on
            p.profile_id = a.profile_id
            and p.month_number = a.month_number
),

whole as (
    select
        *,
        sum(active_day_count) over three as active_day_3m_count,
        sum(active_day_count) over prior_three as active_day_prior_3m_count,
        sum(active_day_count) over twelve as active_day_12m_count,
        sum(app_day_count) over twelve as app_day_12m_count,
        sum(initiated_amount) over twelve as initiated_12m_amount,
        max(last_active_date) over twelve as last_active_12m_date
    from months
    window
        three as (
            partition by profile_id order by month_number
            range between 2 preceding and current row
        ),
        prior_three as (
            partition by profile_id order by month_number
            range between 5 preceding and 3 preceding
        ),
        twelve as (
            partition by profile_id order by month_number
            range between 11 preceding and current row
        )
),

-- the month under way ends with as_of: its windows begin after that day of an earlier month
summed as (
    select
        w.profile_id,
        w.month_start,
        w.evaluation_date,
        w.is_final,
        w.observed_days,
        cast(coalesce(w.active_day_3m_count, 0) + coalesce(l.active_day_3m_count, 0) as bigint)
            as active_day_3m_count,
        cast(
            coalesce(w.active_day_prior_3m_count, 0)
            + coalesce(l.active_day_6m_count - l.active_day_3m_count, 0) as bigint
        ) as active_day_prior_3m_count,
        cast(coalesce(w.active_day_12m_count, 0) + coalesce(l.active_day_12m_count, 0) as bigint)
            as active_day_12m_count,
        cast(coalesce(w.app_day_12m_count, 0) + coalesce(l.app_day_12m_count, 0) as bigint)
            as app_day_12m_count,
        cast(
            coalesce(w.initiated_12m_amount, 0) + coalesce(l.initiated_12m_amount, 0)
            as decimal(38, 2)
        ) as initiated_12m_amount,
        coalesce(w.last_active_12m_date, l.last_active_date) as last_active_date
    from whole as w
    left join late as l
        on
            w.profile_id = l.profile_id
            and not w.is_final
    where w.month_start is not null
)

select * from summed
