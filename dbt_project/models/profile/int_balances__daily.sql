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

days_moved as (
    select
        account_id,
        business_date,
        currency,
        sum(signed_amount) as moved_amount
    from transactions
    group by account_id, business_date, currency
),

-- How far a booking is from being the day's last: its balance, less the balance some booking
-- started from, should be what the day moved. Keys and moments of real banks are not in the order
-- of booking, and their balances are rounded.
gaps as (
    select
        t.transaction_id,
        min(
            abs(t.balance_after_amount - f.balance_after_amount + f.signed_amount - d.moved_amount)
        ) as gap_amount
    from transactions as t
    inner join transactions as f
        on
            t.account_id = f.account_id
            and t.business_date = f.business_date
            and t.currency = f.currency
    inner join days_moved as d
        on
            t.account_id = d.account_id
            and t.business_date = d.business_date
            and t.currency = d.currency
    group by t.transaction_id
),

ranked as (
    select
        t.*,
        row_number() over (
            partition by t.account_id, t.business_date
            order by g.gap_amount, t.occurred_at desc nulls last, t.transaction_id desc
        ) as closing_rank
    from transactions as t
    inner join gaps as g on t.transaction_id = g.transaction_id
),

balances as (
    select
        account_id,
        business_date,
        currency,
        balance_after_amount as balance_amount
    from ranked
    where closing_rank = 1
)

select * from balances
