{{ config(
    materialized='incremental',
    incremental_strategy='run_scope',
    meta={'feed': 'transactions'},
) }}

with

transactions as (
    select *
    from {{ ref('stg_transactions') }}
    where
        is_booked
        and {{ in_scope('transactions', 'business_date') }}
),

categories as (
    select * from {{ ref('transaction_categories') }}
),

transactions_daily as (
    select
        transactions.account_id,
        transactions.business_date,
        transactions.currency,
        transactions.category,
        transactions.channel,
        count(*) as transaction_count,
        cast(sum(
            case when transactions.direction = 'credit' then transactions.amount else 0 end
        ) as decimal(38, 2)) as credit_amount,
        cast(sum(
            case when transactions.direction = 'debit' then transactions.amount else 0 end
        ) as decimal(38, 2)) as debit_amount,
        {{ count_if('categories.is_customer_initiated') }} as customer_initiated_count
    from transactions
    left join categories
        on
            transactions.category = categories.category
            and transactions.direction = categories.direction
    group by
        transactions.account_id,
        transactions.business_date,
        transactions.currency,
        transactions.category,
        transactions.channel
)

select * from transactions_daily
