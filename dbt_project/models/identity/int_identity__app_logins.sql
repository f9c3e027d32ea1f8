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

usable as (
    select
        business_date,
        party_id,
        case when {{ is_evidence('app_user_token') }} then app_user_token end as app_user_token,
        case when {{ is_evidence('device_token') }} then device_token end as device_token
    from app_events
),

app_logins as (
    select
        business_date,
        app_user_token,
        device_token,
        party_id,
        count(*) as event_count
    from usable
    where
        (party_id is not null or app_user_token is not null)
        and (app_user_token is not null or device_token is not null)
    group by business_date, app_user_token, device_token, party_id
)

select * from app_logins
