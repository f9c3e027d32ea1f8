with

-- days on which a wage was paid in, of accounts
wages as (
    select
        account_id,
        business_date
    from {{ ref('stg_transactions') }}
    where
        is_booked
        and category = 'salary'
        and signed_amount > 0
        and business_date > {{ days_before_as_of(90) }}
        and business_date <= {{ as_of() }}
),

owners as (
    select * from {{ ref('int_accounts__owners') }}
),

money as (
    select * from {{ ref('int_money__daily') }}
    where
        currency <> '{{ var("reporting_currency") }}'
        and business_date > {{ days_before_as_of(365) }}
        and business_date <= {{ as_of() }}
),

facts as (
    select
        owners.profile_id,
        wages.business_date as wage_date,
        0 as foreign_count
    from wages
    inner join owners on wages.account_id = owners.account_id
    union all
    select
        profile_id,
        cast(null as date) as wage_date,
        customer_initiated_count as foreign_count
    from money
),

persona_money as (
    select
        profile_id,
        count(distinct wage_date) as wage_day_count,
        {{ sum_integer('foreign_count') }} as foreign_transaction_count
    from facts
    group by profile_id
)

select * from persona_money
