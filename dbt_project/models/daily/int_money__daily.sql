with

transactions_daily as (
    select *
    from {{ ref('int_transactions__daily') }}
    where business_date <= {{ as_of() }}
),

owners as (
    select * from {{ ref('int_accounts__owners') }}
),

money_daily as (
    select
        coalesce(owners.profile_id, 'unattributed') as profile_id,
        transactions_daily.business_date,
        transactions_daily.currency,
        {{ sum_integer('transactions_daily.transaction_count') }} as transaction_count,
        {{ sum_money('transactions_daily.credit_amount') }} as credit_amount,
        {{ sum_money('transactions_daily.debit_amount') }} as debit_amount,
        {{ sum_integer('transactions_daily.customer_initiated_count') }}
            as customer_initiated_count,
        {{ sum_money('transactions_daily.customer_initiated_amount') }}
            as customer_initiated_amount
    from transactions_daily
    left join owners
        on transactions_daily.account_id = owners.account_id
    group by
        coalesce(owners.profile_id, 'unattributed'),
        transactions_daily.business_date,
        transactions_daily.currency
)

select * from money_daily
