{{ config(
    materialized='incremental',
    incremental_strategy='run_scope',
    meta={'feed': 'call_logs', 'key': 'call_id'},
) }}

with

winners as (
    {{ event_winners('call_logs', key='call_id', moment='started_at') | indent(4) }}
),

call_logs as (
    select
        call_id,
        started_at,
        party_id,
        phone_token,
        direction,
        queue,
        topic,
        outcome,
        agent_id,
        queued_at,
        answered_at,
        ended_at,
        handle_seconds,
        transfer_count,
        complaint_id,
        business_date,
        {{ subject_columns([('phone', 'phone_token')]) | indent(8) }},
        source,
        arrival_number
    from winners
)

select * from call_logs
