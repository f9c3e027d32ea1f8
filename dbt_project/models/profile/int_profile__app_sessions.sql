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
        {%- for days in [30, 90] %}
        count(
            distinct case when business_date > {{ days_before_as_of(days) }} then session_key end
        ) as app_session_{{ days }}d_count,
        {%- endfor %}
        max(last_login_at) as last_login_at
    from resolved
    group by profile_id
)

select * from counted
