{{ config(
    materialized='incremental',
    incremental_strategy='run_scope',
    meta={'feed': 'app_events', 'key': 'event_id'},
) }}

with

winners as (
    {{ event_winners('app_events', key='event_id', moment='occurred_at') | indent(4) }}
),

app_events as (
    select
        event_id,
        occurred_at,
        device_token,
        app_user_token,
        party_id,
        session_id,
        event_name,
        feature,
        platform,
        is_error,
        business_date,
        {{ subject_columns([
            ('app_user', 'app_user_token'),
            ('device', 'device_token'),
        ]) | indent(8) }},
        source,
        arrival_number
    from winners
)

select * from app_events
