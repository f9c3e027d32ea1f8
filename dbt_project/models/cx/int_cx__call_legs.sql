with

legs as (
    select * from {{ ref('stg_call_legs') }}
    where business_date <= {{ as_of() }}
),

numbered as (
    select
        leg_id,
        call_id,
        agent_id,
        handle_seconds,
        row_number() over (partition by call_id order by began_at, leg_id) as leg_number,
        case
            when handle_seconds is not null then row_number() over (
                partition by call_id, handle_seconds is null
                order by began_at, leg_id
            )
        end as timed_number
    from legs
)

select * from numbered
