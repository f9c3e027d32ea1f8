with

calls as (
    select
        *,
        1 as call_count,
        case when outcome = 'abandoned' then 1 else 0 end as abandoned_count,
        case when measured_handle_seconds is not null then 1 else 0 end as handled_count,
        case when measured_wait_seconds is not null then 1 else 0 end as waited_count
    from {{ ref('int_cx__calls') }}
    where is_contact
),

summed as (
    select
        profile_id,
        {{- window_sums(service_measures()) }}
        min(business_date) as first_call_date,
        max(started_at) as last_call_at,
        max(business_date) as last_call_date,
        min(min(business_date)) over () as feed_first_date
    from calls
    group by profile_id
)

select * from summed
