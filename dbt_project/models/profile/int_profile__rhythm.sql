with

initiated_days as (
    select
        profile_id,
        business_date
    from {{ ref('int_money__daily') }}
    where
        customer_initiated_count > 0
        and business_date > {{ days_before_as_of(365) }}
        and business_date <= {{ as_of() }}
        and profile_id <> 'unattributed'
),

rules as (
    select * from {{ ref('int_profile__rules') }}
),

intervals as (
    select
        profile_id,
        business_date,
        {{ days_between(
            'lag(business_date) over (partition by profile_id order by business_date)',
            'business_date',
        ) }} as interval_days
    from initiated_days
),

-- between two accounts or currencies of one day there are 0 days, which is no interval
lengths as (
    select
        profile_id,
        interval_days,
        count(*) as length_count,
        max(business_date) as last_initiated_date
    from intervals
    where interval_days > 0
    group by profile_id, interval_days
),

ranked as (
    select
        *,
        sum(length_count) over (partition by profile_id order by interval_days) as last_rank,
        sum(length_count) over (partition by profile_id) as interval_count
    from lengths
),

-- the one in the middle, or the two: of 5 the third, of 4 the second and third
medians as (
    select
        profile_id,
        max(interval_count) as interval_count,
        max(last_initiated_date) as last_initiated_date,
        {{ average(
            "(min(case when 2 * last_rank >= interval_count then interval_days end)"
            ~ " + min(case when 2 * last_rank > interval_count then interval_days end))",
            2,
            1,
        ) }} as median_days
    from ranked
    group by profile_id
),

rhythm as (
    select
        m.profile_id,
        m.median_days as transaction_interval_median_days,
        {{ add_days('m.last_initiated_date', 'ceil(m.median_days)') }}
            as next_transaction_expected_date
    from medians as m
    cross join rules as r
    where m.interval_count + 1 >= r.rhythm_days_from
)

select * from rhythm
