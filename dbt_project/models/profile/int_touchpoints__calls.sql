with

calls as (
    select * from {{ ref('int_cx__calls') }}
    where {{ is_in_timeline('business_date') }}
),

touchpoints as (
    select
        'call_logs:' || call_id as touchpoint_id,
        profile_id,
        started_at as occurred_at,
        business_date,
        'call_logs' as feed,
        'call_' || direction || '_' || outcome as touchpoint_type,
        'phone' as channel,
        contact_topic as product_or_topic,
        cast(null as decimal(18, 2)) as amount,
        cast(null as {{ type_text() }}) as currency,
        cast(null as bigint) as score,
        outcome = 'abandoned' as is_negative
    from calls
)

select * from touchpoints
