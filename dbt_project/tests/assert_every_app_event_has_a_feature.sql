-- A row returned is an event, of the days in scope, that seed app_features knows neither by its
-- name nor by its feature: it is in app_event_unknown_90d_count and in no feature.
{{ config(severity='warn') }}

select
    lower(events.event_name) as event_name,
    lower(events.feature) as feature,
    count(*) as event_count
from {{ ref('stg_app_events') }} as events
where
    {{ in_scope('app_events', 'business_date', everything=flags.FULL_REFRESH) }}
    and not exists (
        select 1
        from {{ ref('app_features') }} as known
        where
            (known.matches = 'event_name' and known.source_value = lower(events.event_name))
            or (known.matches = 'feature' and known.source_value = lower(events.feature))
    )
group by lower(events.event_name), lower(events.feature)
