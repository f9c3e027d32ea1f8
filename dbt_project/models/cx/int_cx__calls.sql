with

calls as (
    select * from {{ ref('stg_call_logs') }}
    where business_date <= {{ as_of() }}
),

resolved as (
    {{ with_profile('calls') | indent(4) }}
),

-- offered is what reached a queue; a source that knows no queue has no offered calls
timed as (
    select
        call_id,
        profile_id,
        business_date,
        started_at,
        coalesce(ended_at, answered_at, started_at) as ended_at,
        direction,
        outcome,
        agent_id,
        complaint_id,
        transfer_count,
        coalesce(topic, queue, '(unknown)') as contact_topic,
        direction = 'inbound' and queued_at is not null as is_offered,
        direction = 'inbound' and outcome <> 'not_offered' as is_contact,
        case when outcome = 'handled' then {{ handle_seconds() }} end as measured_handle_seconds,
        case
            when outcome <> 'abandoned' then {{ seconds_between('queued_at', 'answered_at') }}
        end as measured_wait_seconds,
        {{ seconds_between('queued_at', 'ended_at') }} as seconds_to_end
    from resolved
)

select * from timed
