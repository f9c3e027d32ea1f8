-- Months that are over are read from what is kept of them, the month under way by its days.
with

ended as (
    select
        account_id,
        month_start,
        balance_amount,
        currency,
        balance_date
    from {{ ref('int_balances__month_ends') }}
    where month_start < cast('{{ month_start(0) }}' as date)
),

under_way as (
    select
        account_id,
        cast('{{ month_start(0) }}' as date) as month_start,
        max_by(balance_amount, business_date) as balance_amount,
        max_by(currency, business_date) as currency,
        max(business_date) as balance_date
    from {{ ref('int_balances__daily') }}
    where
        business_date >= cast('{{ month_start(0) }}' as date)
        and business_date <= {{ as_of() }}
    group by account_id
),

by_month as (
    select * from ended
    union all
    select * from under_way
)

select * from by_month
