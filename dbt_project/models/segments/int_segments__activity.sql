with

active_days as (
    select
        *,
        {{ month_number('business_date') }} as month_number,
        {{ day_of_month('business_date') }} > {{ day_of_month(as_of()) }} as is_late
    from {{ ref('int_segments__active_days') }}
),

months as (
    select
        profile_id,
        month_number,
        is_late,
        count(*) as active_day_count,
        {{ count_if('is_app') }} as app_day_count,
        {{ sum_money('initiated_amount') }} as initiated_amount,
        min(business_date) as first_active_date,
        max(business_date) as last_active_date
    from active_days
    group by profile_id, month_number, is_late
)

select * from months
