{{ config(meta={'feed': 'app_events'}) }}

with

app_days as (
    select * from {{ ref('int_app_events__daily') }}
    where
        login_count > 0
        and {{ in_scope_months('app_events', 'business_date') }}
),

login_months as (
    select
        subject_type,
        subject,
        {{ first_of_month('business_date') }} as month_start,
        bit_or({{ day_bit('business_date') }}) as login_days
    from app_days
    group by subject_type, subject, {{ first_of_month('business_date') }}
)

select * from login_months
