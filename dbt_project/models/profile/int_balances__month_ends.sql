{{ config(meta={'feed': 'transactions'}) }}

with

balances as (
    select * from {{ ref('int_balances__daily') }}
    where {{ in_scope_months('transactions', 'business_date') }}
),

month_ends as (
    select
        account_id,
        {{ first_of_month('business_date') }} as month_start,
        max_by(balance_amount, business_date) as balance_amount,
        max_by(currency, business_date) as currency,
        max(business_date) as balance_date
    from balances
    group by account_id, {{ first_of_month('business_date') }}
)

select * from month_ends
