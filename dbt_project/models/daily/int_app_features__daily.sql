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

app_features as (
    select * from {{ ref('app_features') }}
),

app_features_daily as (
    select
        e.subject_type,
        e.subject,
        e.business_date,
        coalesce(by_event.app_feature, by_feature.app_feature, '(unknown)') as app_feature,
        count(*) as event_count
    from app_events as e
    left join app_features as by_event
        on
            by_event.matches = 'event_name'
            and lower(e.event_name) = by_event.source_value
    left join app_features as by_feature
        on
            by_feature.matches = 'feature'
            and lower(e.feature) = by_feature.source_value
    group by
        e.subject_type,
        e.subject,
        e.business_date,
        coalesce(by_event.app_feature, by_feature.app_feature, '(unknown)')
)

select * from app_features_daily
