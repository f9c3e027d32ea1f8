{{ config(
    materialized='incremental',
    incremental_strategy='run_scope',
    meta={'feed': 'transactions', 'account': 'account_id'},
) }}

with

transactions as (
    select *
    from {{ ref('stg_transactions') }}
    where
        is_booked
        and {{ in_scope('transactions', 'business_date', account='account_id') }}
),

categories as (
    select * from {{ ref('transaction_categories') }}
),

transactions_daily as (
    select
        transactions.account_id,
        transactions.business_date,
        transactions.currency,
        count(*) as transaction_count,
        {%- for direction in ['credit', 'debit'] %}
        {{ sum_money(
            "case when transactions.direction = '" ~ direction
            ~ "' then transactions.amount else 0 end"
        ) }} as {{ direction }}_amount,
        {%- endfor %}
        {{ count_if('categories.is_customer_initiated') }} as customer_initiated_count,
        {{ sum_money(
            'case when categories.is_customer_initiated then transactions.amount else 0 end'
        ) }} as customer_initiated_amount
    from transactions
    left join categories
        on
            transactions.category = categories.category
            and transactions.direction = categories.direction
    group by
        transactions.account_id,
        transactions.business_date,
        transactions.currency
)

select * from transactions_daily
