{{ config(
    materialized='incremental',
    incremental_strategy='run_scope',
    meta={'feed': 'transactions'},
) }}

with

transactions as (
    select * from {{ ref('stg_transactions') }}
    where
        is_booked
        and balance_after_amount is not null
        and {{ in_scope('transactions', 'business_date') }}
),

-- The day's last booking: by its moment where the source tells it, else the one whose balance no other booking of
-- the day started from; keys of real banks are not in the order of booking.
chained as (
    select
        t.*,
        exists (
            select 1
            from transactions as later
            where
                later.account_id = t.account_id
                and later.business_date = t.business_date
                and later.currency = t.currency
                and later.transaction_id <> t.transaction_id
                and later.balance_after_amount - later.signed_amount = t.balance_after_amount
        ) as is_followed
    from transactions as t
),

ranked as (
    select
        *,
        row_number() over (
            partition by account_id, business_date
            order by occurred_at desc nulls last, is_followed, transaction_id desc
        ) as position
    from chained
)

select
    account_id,
    business_date,
    currency,
    balance_after_amount as balance_amount
from ranked
where position = 1
