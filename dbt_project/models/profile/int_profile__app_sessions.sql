with

sessions as (
    select
        *,
        business_date > {{ day_before_windows(app_session_measures()) }} as is_in_windows
    from {{ ref('int_app_sessions__daily') }}
    where business_date <= {{ as_of() }}
),

resolved as (
    {{ with_profile('sessions') | indent(4) }}
),

-- a session over midnight is one, in every window its last day is in; those before are one row
by_session as (
    select
        profile_id,
        case when is_in_windows then session_key end as session_key,
        max(case when is_in_windows then business_date end) as window_day,
        1 as session_count,
        max(last_login_at) as last_login_at
    from resolved
    group by profile_id, case when is_in_windows then session_key end
),

counted as (
    select
        profile_id,
        {{- window_sums(app_session_measures(), 'window_day') }}
        max(last_login_at) as last_login_at
    from by_session
    group by profile_id
)

select * from counted
