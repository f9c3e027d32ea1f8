with

complaints as (
    select * from {{ ref('int_cx__complaints') }}
),

counted as (
    select
        profile_id,
        count(*) as complaint_count,
        count(case when status = 'open' then 1 end) as open_complaint_count,
        min(business_date) as first_complaint_date,
        max(business_date) as last_complaint_date
    from complaints
    group by profile_id
)

select * from counted
