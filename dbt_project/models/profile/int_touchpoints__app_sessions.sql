with

sessions as (
    select * from {{ ref('int_app_sessions__daily') }}
    where {{ is_in_timeline('business_date') }}
),

channels as (
    select * from {{ ref('contact_channels') }}
    where feed = 'app_events'
),

resolved as (
    {{ with_profile('sessions') | indent(4) }}
),

touchpoints as (
    select
        'app_events:' || r.session_key || ':' || r.business_date as touchpoint_id,
        r.profile_id,
        r.started_at as occurred_at,
        r.business_date,
        'app_events' as feed,
        'session' as touchpoint_type,
        c.channel,
        r.platform as product_or_topic,
        cast(null as decimal(18, 2)) as amount,
        cast(null as {{ type_text() }}) as currency,
        cast(null as bigint) as score,
        r.error_count > 0 as is_negative
    from resolved as r
    left join channels as c on r.platform = c.source_value
)

select * from touchpoints
