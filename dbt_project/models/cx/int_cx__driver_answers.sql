with

units as (
    select
        *,
        {{ first_of_quarter('metric_date') }} as quarter_date
    from {{ ref('int_cx__units') }}
    where metric = 'csat_top_two_share'
),

answers as (
    select * from {{ ref('int_cx__answers') }}
),

operations as (
    select * from {{ ref('int_cx__call_operations') }}
),

memberships as (
    select * from {{ ref('segment_membership') }}
    where scheme = 'primary'
),

rules as (
    select * from {{ ref('int_cx__rules') }}
),

-- quarters that are over, the last ones
kept as (
    select
        u.*,
        row_number() over (
            partition by u.quarter_date, u.person_key, u.question_id
            order by u.responded_at desc, u.observation_id desc
        ) as preference
    from units as u
    cross join rules as r
    where
        {{ add_months('u.quarter_date', 3) }} <= {{ add_days(as_of(), 1) }}
        and {{ add_months('u.quarter_date', '3 * (r.driver_quarters + 1)') }}
        > {{ add_days(as_of(), 1) }}
),

-- the segment of the month before the answer, for that of its own month may follow from it
linked as (
    select
        k.metric,
        k.quarter_date,
        k.observation_id,
        k.person_key,
        cast(k.value as int) as outcome,
        o.call_id is not null as is_linked,
        coalesce(m.segment, '(none)') as segment,
        k.channel,
        k.product,
        {{ month_number('k.metric_date') }} as month_number,
        o.wait_seconds,
        o.handle_seconds,
        o.transfer_count,
        o.is_repeat
    from kept as k
    inner join answers as a on k.observation_id = a.response_id
    left join operations as o
        on
            a.call_id = o.call_id
            and o.ended_at <= k.responded_at
    left join memberships as m
        on
            k.profile_id = m.profile_id
            and m.from_month <= {{ add_months(first_of_month('k.metric_date'), -1) }}
            and coalesce(m.left_date, {{ end_of_time() }})
            >= {{ first_of_month('k.metric_date') }}
    where k.preference = 1
)

select * from linked
