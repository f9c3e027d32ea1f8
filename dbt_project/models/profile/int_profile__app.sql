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

days_used as (
    select
        profile_id,
        {%- for days in [30, 90] %}
        count(
            distinct case when business_date > {{ days_before_as_of(days) }} then business_date end
        ) as app_active_day_{{ days }}d_count,
        {%- endfor %}
        {{- window_sums(app_measures(), [30, 90]) }}
        {{ distinct_list('platform') }} as app_platforms,
        min(business_date) as first_app_event_date,
        max(business_date) as last_app_event_date
    from resolved
    group by profile_id
),

joined as (
    select
        d.*,
        s.app_session_30d_count,
        s.app_session_90d_count,
        s.last_login_at
    from days_used as d
    left join sessions as s on d.profile_id = s.profile_id
)

select * from joined
