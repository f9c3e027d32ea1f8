{{ config(
    materialized='incremental',
    incremental_strategy='run_scope',
    meta={'feed': 'app_events'},
) }}

with

app_events as (
    select *
    from {{ ref('stg_app_events') }}
    where {{ in_scope('app_events', 'business_date') }}
),

login_events as (
    select * from {{ ref('app_login_events') }}
),

app_events_daily as (
    select
        app_events.subject_type,
        app_events.subject,
        app_events.business_date,
        app_events.platform,
        count(*) as event_count,
        count(login_events.event_name) as login_count,
        {{ count_if('app_events.is_error') }} as error_count
    from app_events
    left join login_events
        on lower(app_events.event_name) = login_events.event_name
    group by
        app_events.subject_type,
        app_events.subject,
        app_events.business_date,
        app_events.platform
)

select * from app_events_daily
