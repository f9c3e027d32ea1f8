{{ config(
    materialized='incremental',
    incremental_strategy='run_scope',
    meta={'feed': 'app_events'},
) }}

with

events as (
    select * from {{ ref('stg_app_events') }}
    where {{ in_scope('app_events', 'business_date') }}
),

login_events as (
    select * from {{ ref('app_login_events') }}
),

keyed as (
    select
        e.*,
        coalesce(
            'session:' || e.source || ':' || e.session_id,
            'subject:' || e.subject_type || ':' || e.subject || ':'
            || cast(e.business_date as {{ type_text() }}),
            'event:' || e.event_id
        ) as session_key,
        l.event_name is not null as is_login
    from events as e
    left join login_events as l on lower(e.event_name) = l.event_name
),

-- the strongest identifier of the session: the minutes before a login belong to who logged in
sessions as (
    select
        session_key,
        business_date,
        min(case when subject_type = 'party' then subject end) as party_id,
        min(case when subject_type = 'app_user' then subject end) as app_user,
        min(case when subject_type = 'device' then subject end) as device,
        min(platform) as platform,
        min(occurred_at) as started_at,
        max(occurred_at) as ended_at,
        count(*) as event_count,
        {{ count_if('is_error') }} as error_count,
        max(case when is_login then occurred_at end) as last_login_at
    from keyed
    group by session_key, business_date
),

final as (
    select
        session_key,
        business_date,
        case
            when party_id is not null then 'party'
            when app_user is not null then 'app_user'
            when device is not null then 'device'
        end as subject_type,
        coalesce(party_id, app_user, device) as subject,
        platform,
        started_at,
        ended_at,
        event_count,
        error_count,
        last_login_at
    from sessions
)

select * from final
