{{ config(
    materialized='incremental',
    incremental_strategy='run_scope',
    meta={'feed': 'transactions', 'account': 'account_id'},
) }}

with

transactions as (
    select * from {{ ref('stg_transactions') }}
    where
        is_booked
        and balance_after_amount is not null
        and {{ in_scope('transactions', 'business_date', account='account_id') }}
),

account_days as (
    select
        account_id,
        business_date,
        count(*) as booking_count,
        max(currency) as currency,
        max(balance_after_amount) as balance_amount
    from transactions
    group by account_id, business_date
),

bookings as (
    select
        t.transaction_id,
        t.account_id,
        t.business_date,
        t.currency,
        t.occurred_at,
        t.balance_after_amount as end_amount,
        t.balance_after_amount - t.signed_amount as start_amount,
        t.balance_after_amount - sum(t.signed_amount) over (
            partition by t.account_id, t.business_date, t.currency
        ) as day_start_amount
    from transactions as t
    inner join account_days as d
        on
            t.account_id = d.account_id
            and t.business_date = d.business_date
    where d.booking_count > 1
),

-- What the day's last booking ended at, less what the day moved, is what some booking started
-- from. Keys and moments of real banks are not in the order of booking.
last_ones as (
    select
        account_id,
        business_date,
        max(currency) as currency,
        max(end_amount) as balance_amount,
        max(currency) = min(currency) and max(end_amount) = min(end_amount) as is_certain
    from bookings as e
    where exists (
        select 1
        from bookings as s
        where
            e.account_id = s.account_id
            and e.business_date = s.business_date
            and e.currency = s.currency
            and e.day_start_amount = s.start_amount
    )
    group by account_id, business_date
),

uncertain as (
    select *
    from bookings as b
    where not exists (
        select 1
        from last_ones as l
        where
            b.account_id = l.account_id
            and b.business_date = l.business_date
            and l.is_certain
    )
),

{{ ranked_as_last('uncertain') }},

balances as (
    select
        account_id,
        business_date,
        currency,
        balance_amount
    from account_days
    where booking_count = 1
    union all
    select
        account_id,
        business_date,
        currency,
        balance_amount
    from last_ones
    where is_certain
    union all
    select
        account_id,
        business_date,
        currency,
        end_amount as balance_amount
    from ranked
    where closing_rank = 1
)

select * from balances
