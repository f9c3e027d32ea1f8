with

calls as (
    select * from {{ ref('stg_call_logs') }}
    where business_date <= {{ as_of() }}
),

resolved as (
    {{ with_profile('calls') | indent(4) }}
),

-- unknown outcomes count as offered where the call is seen in a queue or with an agent
timed as (
    select
        call_id,
        profile_id,
        business_date,
        started_at,
        coalesce(ended_at, answered_at, started_at) as ended_at,
        direction,
        outcome,
        complaint_id,
        coalesce(topic, queue, '(unknown)') as contact_topic,
        direction = 'inbound'
        and (
            outcome in ('handled', 'abandoned')
            or (outcome = 'unknown' and coalesce(queued_at, answered_at) is not null)
        ) as is_offered,
        case when outcome = 'handled' then {{ handle_seconds() }} end as measured_handle_seconds,
        case
            when outcome <> 'abandoned' then {{ seconds_between('queued_at', 'answered_at') }}
        end as measured_wait_seconds,
        {{ seconds_between('coalesce(queued_at, started_at)', 'ended_at') }} as seconds_to_end
    from resolved
)

select * from timed
