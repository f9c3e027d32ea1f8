with

calls as (
    select * from {{ ref('int_cx__calls') }}
),

contacts as (
    select * from {{ ref('int_cx__contacts') }}
),

rules as (
    select * from {{ ref('int_cx__rules') }}
),

-- the contact before, of that person on that topic, in any channel
preceded as (
    select
        contact_id,
        started_at,
        max(ended_at) over (
            partition by profile_id, contact_topic
            order by started_at, contact_id
            rows between unbounded preceding and 1 preceding
        ) as previous_ended_at
    from contacts
    where profile_id <> 'unattributed'
),

operations as (
    select
        c.call_id,
        c.ended_at,
        c.measured_wait_seconds as wait_seconds,
        c.measured_handle_seconds as handle_seconds,
        c.transfer_count,
        case
            when p.contact_id is null then null
            when
                {{ seconds_between('p.previous_ended_at', 'p.started_at') }}
                <= r.fcr_window_hours * 3600
                then 1
            else 0
        end as is_repeat
    from calls as c
    cross join rules as r
    left join preceded as p on p.contact_id = 'call_logs:' || c.call_id
)

select * from operations
