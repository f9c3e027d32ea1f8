with

complaints as (
    select * from {{ ref('int_cx__complaints') }}
    where {{ is_in_timeline('business_date') }}
),

touchpoints as (
    select
        'complaints:' || complaint_id as touchpoint_id,
        profile_id,
        received_at as occurred_at,
        business_date,
        'complaints' as feed,
        'complaint' as touchpoint_type,
        channel,
        coalesce(issue, product) as product_or_topic,
        cast(null as decimal(18, 2)) as amount,
        cast(null as {{ type_text() }}) as currency,
        cast(null as bigint) as score,
        true as is_negative
    from complaints
)

select * from touchpoints
