with

transactions_daily as (
    select *
    from {{ ref('int_transactions__daily') }}
    where business_date <= {{ as_of() }}
),

owners as (
    select * from {{ ref('int_accounts__owners') }}
),

money as (
    select
        coalesce(owners.profile_id, 'unattributed') as profile_id,
        transactions_daily.*
    from transactions_daily
    left join owners
        on transactions_daily.account_id = owners.account_id
),

-- What a person moved in a currency on a day is converted as a whole. Money that needs no rate is
-- nearly all, and is left as it is.
money_daily as (
    select
        profile_id,
        business_date,
        currency,
        transaction_count,
        credit_amount,
        debit_amount,
        customer_initiated_count,
        customer_initiated_amount
    from money
    where currency = '{{ var("reporting_currency") }}'
    union all
    select
        profile_id,
        business_date,
        currency,
        {{ sum_integer('transaction_count') }} as transaction_count,
        {{ sum_money('credit_amount') }} as credit_amount,
        {{ sum_money('debit_amount') }} as debit_amount,
        {{ sum_integer('customer_initiated_count') }} as customer_initiated_count,
        {{ sum_money('customer_initiated_amount') }} as customer_initiated_amount
    from money
    where currency <> '{{ var("reporting_currency") }}'
    group by profile_id, business_date, currency
)

select * from money_daily
