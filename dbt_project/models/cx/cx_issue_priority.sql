with

contacts as (
    select
        {{ first_of_month('business_date') }} as month_start,
        contact_topic as issue
    from {{ ref('int_cx__contacts') }}
),

-- first contacts of the same days, settled at once or not; they add up over days
first_contacts as (
    select
        {{ first_of_month('metric_date') }} as month_start,
        product as issue,
        cast(sum(n) as bigint) as n,
        sum(value_sum) as settled_sum
    from {{ ref('int_cx__daily_cells') }}
    where
        metric = 'fcr_share'
        and dimension_set = 'product'
    group by {{ first_of_month('metric_date') }}, product
),

months as (
    select
        {{ first_of_month('metric_date') }} as month_start,
        max(final_date) as final_date
    from {{ ref('int_cx__days') }}
    where
        metric = 'fcr_share'
        and window_days = 1
    group by {{ first_of_month('metric_date') }}
),

rules as (
    select * from {{ ref('int_cx__rules') }}
),

issues as (
    select
        month_start,
        issue,
        count(*) as contact_count
    from contacts
    group by month_start, issue
),

measured as (
    select
        i.month_start,
        i.issue,
        i.contact_count,
        {{ divide('i.contact_count', 'sum(i.contact_count) over (partition by i.month_start)') }}
            as contact_share,
        coalesce(f.n, 0) as first_contact_count,
        -- until the month is over and its last contact could have come again, nobody knows
        {{ add_months('i.month_start', 1) }} <= {{ add_days(as_of(), 1) }}
        and coalesce(m.final_date <= {{ as_of() }}, true) as is_final,
        case
            when f.n >= r.reliable_from_n then {{ divide('f.n - f.settled_sum', 'f.n') }}
        end as unsettled_share
    from issues as i
    cross join rules as r
    left join months as m on i.month_start = m.month_start
    left join first_contacts as f
        on
            i.month_start = f.month_start
            and i.issue = f.issue
),

scored as (
    select
        month_start,
        issue,
        contact_count,
        contact_share,
        first_contact_count,
        case when is_final then unsettled_share end as severity_share,
        case when is_final then {{ round_double('contact_share * unsettled_share') }} end
            as priority_score,
        is_final
    from measured
),

-- upper halves of the issues with a score: one in the middle is in the lower half
placed as (
    select
        *,
        2 * row_number() over (
            partition by month_start, priority_score is null
            order by contact_count desc, issue
        ) <= count(*) over (partition by month_start, priority_score is null) as is_frequent,
        2 * row_number() over (
            partition by month_start, priority_score is null
            order by severity_share desc, issue
        ) <= count(*) over (partition by month_start, priority_score is null) as is_severe
    from scored
),

told as (
    select
        month_start,
        issue,
        contact_count,
        contact_share,
        first_contact_count,
        severity_share,
        priority_score,
        case
            when priority_score is null then null
            when is_frequent and is_severe then 'frequent_and_severe'
            when is_frequent then 'frequent'
            when is_severe then 'severe'
            else 'minor'
        end as quadrant,
        is_final
    from placed
)

select * from told
