with

transactions as (
    select * from {{ ref('stg_transactions') }}
    where
        is_booked
        and {{ is_in_timeline('business_date') }}
),

owners as (
    select * from {{ ref('int_accounts__owners') }}
),

accounts as (
    select * from {{ ref('stg_accounts') }}
),

touchpoints as (
    select
        'transactions:' || t.transaction_id as touchpoint_id,
        coalesce(o.profile_id, 'unattributed') as profile_id,
        coalesce(t.occurred_at, {{ instant_of('t.booked_date') }}) as occurred_at,
        t.business_date,
        'transactions' as feed,
        t.category as touchpoint_type,
        t.channel,
        a.account_type as product_or_topic,
        t.signed_amount as amount,
        t.currency,
        cast(null as bigint) as score,
        false as is_negative
    from transactions as t
    left join owners as o on t.account_id = o.account_id
    left join accounts as a on t.account_id = a.account_id
)

select * from touchpoints
