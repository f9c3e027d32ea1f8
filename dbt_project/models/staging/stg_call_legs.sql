{{ config(
    materialized='incremental',
    incremental_strategy='run_scope',
    meta={'feed': 'call_legs', 'key': 'leg_id'},
) }}

with

winners as (
    {{ event_winners('call_legs', key='leg_id', moment='began_at') | indent(4) }}
),

call_legs as (
    select
        leg_id,
        call_id,
        agent_id,
        began_at,
        handle_seconds,
        business_date,
        source,
        arrival_number
    from winners
)

select * from call_legs
