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

summed as (
    select
        profile_id,
        {{- window_sums(money_measures()) }}
        min(business_date) as first_transaction_date,
        max(business_date) as last_transaction_date,
        min(min(business_date)) over () as feed_first_date
    from converted
    group by profile_id
)

select * from summed
