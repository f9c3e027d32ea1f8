with

messages as (
    select * from {{ ref('int_outreach__messages') }}
    where {{ is_in_timeline('business_date') }}
),

touchpoints as (
    select
        'outreach:' || outreach_id as touchpoint_id,
        profile_id,
        sent_at as occurred_at,
        business_date,
        'outreach' as feed,
        case
            when converted_at is not null then 'outreach_converted'
            when responded_at is not null then 'outreach_responded'
            when delivered_at is not null then 'outreach_delivered'
            else 'outreach_sent'
        end as touchpoint_type,
        channel,
        campaign as product_or_topic,
        cast(null as decimal(18, 2)) as amount,
        cast(null as {{ type_text() }}) as currency,
        cast(null as bigint) as score,
        false as is_negative
    from messages
)

select * from touchpoints
