with

-- who is known by a number only may be anybody: whether they had to call again, nobody can tell
contacts as (
    select c.*
    from {{ ref('int_cx__contacts') }} as c
    inner join {{ ref('int_profile__people') }} as p on c.profile_id = p.profile_id
),

rules as (
    select * from {{ ref('int_cx__rules') }}
),

-- neighbours in time of one person on one topic, in any channel
neighbours as (
    select
        *,
        max(ended_at) over (
            partition by profile_id, contact_topic
            order by started_at, contact_id
            rows between unbounded preceding and 1 preceding
        ) as previous_ended_at,
        lead(started_at) over (
            partition by profile_id, contact_topic
            order by started_at, contact_id
        ) as next_started_at
    from contacts
),

first_contacts as (
    select
        n.contact_id,
        n.profile_id,
        n.business_date,
        n.contact_topic,
        n.started_at,
        n.ended_at,
        coalesce(
            {{ seconds_between('n.ended_at', 'n.next_started_at') }}
            > r.fcr_window_hours * 3600,
            true
        ) as is_resolved,
        -- the window ends during that day, and a clock change may move it over midnight
        greatest(
            {{ local_date(add_hours('n.ended_at', 'r.fcr_window_hours')) }},
            {{ add_days('n.business_date', 'ceil(' ~ divide('r.fcr_window_hours', 24) ~ ')') }}
        ) as final_date
    from neighbours as n
    cross join rules as r
    where
        n.is_handled_call
        and (
            n.previous_ended_at is null
            or {{ seconds_between('n.previous_ended_at', 'n.started_at') }}
            > r.fcr_window_hours * 3600
        )
)

select * from first_contacts
