{{ config(
    materialized='incremental',
    incremental_strategy='run_scope',
    meta={'feed': 'transactions', 'key': 'transaction_id'},
) }}

with

winners as (
    {{ event_winners(
        'transactions',
        key='transaction_id',
        day='booked_date',
        version='version_number',
    ) | indent(4) }}
),

transactions as (
    select
        transaction_id,
        account_id,
        booked_date,
        occurred_at,
        amount,
        currency,
        direction,
        status,
        category,
        channel,
        counterparty_token,
        balance_after_amount,
        version_number,
        business_date,
        case when direction = 'credit' then amount else -amount end as signed_amount,
        status = 'booked' as is_booked,
        source,
        arrival_number
    from winners
)

select * from transactions
