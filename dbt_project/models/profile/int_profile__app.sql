{%- set measures = app_day_measures() + app_measures() -%}

with

app_days as (
    select
        *,
        case when business_date > {{ day_before_windows(measures) }} then business_date end
            as window_day
    from {{ ref('int_app_events__daily') }}
    where business_date <= {{ as_of() }}
),

resolved as (
    {{ with_profile('app_days') | indent(4) }}
),

sessions as (
    select * from {{ ref('int_profile__app_sessions') }}
),

app_features as (
    select * from {{ ref('int_profile__app_features') }}
),

-- a person of several identifiers uses the app once a day; days before the windows are one
by_day as (
    select
        profile_id,
        window_day,
        1 as day_count,
        {{ sum_integer('event_count') }} as event_count,
        {{ sum_integer('login_count') }} as login_count,
        {{ sum_integer('error_count') }} as error_count,
        min(business_date) as first_date,
        max(business_date) as last_date
    from resolved
    group by profile_id, window_day
),

days_used as (
    select
        profile_id,
        {{- window_sums(measures, 'window_day') }}
        min(first_date) as first_app_event_date,
        max(last_date) as last_app_event_date,
        min(min(first_date)) over () as feed_first_date
    from by_day
    group by profile_id
),

by_platform as (
    select distinct
        profile_id,
        platform
    from resolved
),

platforms as (
    select
        profile_id,
        {{ distinct_list('platform') }} as app_platforms
    from by_platform
    group by profile_id
),

joined as (
    select
        d.*,
        p.app_platforms,
        {%- for days in app_session_measures()[0][4] %}
        s.app_session_{{ days }}d_count,
        {%- endfor %}
        s.last_login_at,
        f.app_feature_90d_count,
        f.app_features,
        f.app_feature_weight_90d_share,
        f.app_event_unknown_90d_count
    from days_used as d
    left join platforms as p on d.profile_id = p.profile_id
    left join sessions as s on d.profile_id = s.profile_id
    left join app_features as f on d.profile_id = f.profile_id
)

select * from joined
