with

money as (
    select * from {{ ref('int_money__daily') }}
    where business_date <= {{ as_of() }}
),

rates as (
    select * from {{ ref('int_profile__rates') }}
),

converted as (
    select
        m.profile_id,
        m.business_date,
        {{ window_day(money_measures(), 'm.business_date') }} as window_day,
        m.transaction_count,
        {{ in_reporting_currency('m.credit_amount', 'm.currency', 'r.rate') }} as credit_amount,
        {{ in_reporting_currency('m.debit_amount', 'm.currency', 'r.rate') }} as debit_amount,
        case
            when {{ is_unconverted('m.currency', 'r.rate') }} then m.transaction_count else 0
        end as unconverted_count
    from money as m
    left join rates as r
        on
            m.currency = r.currency
            and m.business_date = r.rate_date
),

-- added up once, not once in every window
by_window as (
    select
        profile_id,
        window_day,
        {{ sum_integer('transaction_count') }} as transaction_count,
        {{ sum_money('credit_amount') }} as credit_amount,
        {{ sum_money('debit_amount') }} as debit_amount,
        {{ sum_integer('unconverted_count') }} as unconverted_count,
        min(business_date) as first_date,
        max(business_date) as last_date
    from converted
    group by profile_id, window_day
),

summed as (
    select
        profile_id,
        {{- window_sums(money_measures(), 'window_day') }}
        min(first_date) as first_transaction_date,
        max(last_date) as last_transaction_date,
        min(min(first_date)) over () as feed_first_date
    from by_window
    group by profile_id
)

select * from summed
