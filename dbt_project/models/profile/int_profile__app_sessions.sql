with

sessions as (
    select * from {{ ref('int_app_sessions__daily') }}
    where business_date <= {{ as_of() }}
),

resolved as (
    {{ with_profile('sessions') | indent(4) }}
),

counted as (
    select
        profile_id,
        {{- window_distinct_counts(app_session_measures()) }}
        max(last_login_at) as last_login_at
    from resolved
    group by profile_id
)

select * from counted
