with

app_days as (
    select * from {{ ref('int_app_events__daily') }}
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

days_used as (
    select
        profile_id,
        {{- window_distinct_counts(app_day_measures()) }}
        {{- window_sums(app_measures()) }}
        {{ distinct_list('platform') }} as app_platforms,
        min(business_date) as first_app_event_date,
        max(business_date) as last_app_event_date,
        min(min(business_date)) over () as feed_first_date
    from resolved
    group by profile_id
),

joined as (
    select
        d.*,
        {%- for days in app_session_measures()[0][4] %}
        s.app_session_{{ days }}d_count,
        {%- endfor %}
        s.last_login_at,
        f.app_feature_90d_count,
        f.app_features,
        f.app_feature_weight_90d_share,
        f.app_event_unknown_90d_count
    from days_used as d
    left join sessions as s on d.profile_id = s.profile_id
    left join app_features as f on d.profile_id = f.profile_id
)

select * from joined
