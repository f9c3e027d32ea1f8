with

legs as (
    select
        call_id,
        count(*) as leg_count,
        count(handle_seconds) as timed_leg_count,
        {{ sum_integer('handle_seconds') }} as leg_seconds,
        max(case when leg_number = 1 then agent_id end) as first_leg_agent_id
    from {{ ref('int_cx__call_legs') }}
    group by call_id
),

calls as (
    select
        c.*,
        l.leg_count,
        l.timed_leg_count,
        l.leg_seconds,
        l.first_leg_agent_id
    from {{ ref('stg_call_logs') }} as c
    left join legs as l on c.call_id = l.call_id
    where c.business_date <= {{ as_of() }}
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
        coalesce(agent_id, first_leg_agent_id) as agent_id,
        complaint_id,
        transfer_count,
        leg_count,
        leg_seconds,
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
