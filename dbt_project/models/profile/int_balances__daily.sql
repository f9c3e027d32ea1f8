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

-- Two points per booking: what it ended at less what the day moved, and what it started from.
points as (
    {%- for is_end, amount in [('true', 'moved_amount'), ('false', 'signed_amount')] %}
    select
        transaction_id,
        account_id,
        business_date,
        currency,
        {{ is_end }} as is_end,
        balance_after_amount - {{ amount }} as amount
    from (
        select
            *,
            sum(signed_amount) over (
                partition by account_id, business_date, currency
            ) as moved_amount
        from transactions
    ) as bookings
    {{ "union all" if not loop.last }}
    {%- endfor %}
),

-- How far a booking is from being the day's last: what it ended at, less what the day moved,
-- should be what some booking started from. Keys and moments of real banks are not in the order of
-- booking, and their balances are rounded. The nearest start is the next one below or above.
neighbours as (
    select
        *,
        max(case when not is_end then amount end) over (
            partition by account_id, business_date, currency
            order by amount, is_end, transaction_id
            rows between unbounded preceding and current row
        ) as start_below,
        min(case when not is_end then amount end) over (
            partition by account_id, business_date, currency
            order by amount, is_end, transaction_id
            rows between current row and unbounded following
        ) as start_above
    from points
),

-- Several bookings may be as near; of those the last ended at what no other started from.
surpluses as (
    select
        account_id,
        business_date,
        currency,
        balance_amount,
        sum(surplus) as surplus
    from (
        select
            account_id,
            business_date,
            currency,
            balance_after_amount as balance_amount,
            1 as surplus
        from transactions
        union all
        select
            account_id,
            business_date,
            currency,
            balance_after_amount - signed_amount as balance_amount,
            -1 as surplus
        from transactions
    ) as ends_and_starts
    group by account_id, business_date, currency, balance_amount
),

ranked as (
    select
        t.*,
        row_number() over (
            partition by t.account_id, t.business_date
            order by
                least(n.amount - n.start_below, n.start_above - n.amount),
                s.surplus desc,
                t.occurred_at desc nulls last,
                t.transaction_id desc
        ) as closing_rank
    from transactions as t
    inner join neighbours as n
        on
            t.transaction_id = n.transaction_id
            and n.is_end
    inner join surpluses as s
        on
            t.account_id = s.account_id
            and t.business_date = s.business_date
            and t.currency = s.currency
            and t.balance_after_amount = s.balance_amount
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
