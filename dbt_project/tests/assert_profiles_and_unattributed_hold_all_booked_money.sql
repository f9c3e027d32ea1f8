-- A row returned is a day in scope and currency whose booked money is not all in profiles and the
-- unattributed row, or a number of transactions, of all days or of a year, that profiles do not
-- add up to: on other days only whose money is whose may have changed, and so that number.
{% set is_in_scope = in_scope(
    'transactions',
    'business_date',
    everything=flags.FULL_REFRESH,
) %}
with

booked as (
    select
        business_date,
        currency,
        sum(case when direction = 'credit' then amount else 0 end) as credit_amount,
        sum(case when direction = 'debit' then amount else 0 end) as debit_amount,
        count(*) as transaction_count
    from {{ ref('stg_transactions') }}
    where
        is_booked
        and business_date <= {{ as_of() }}
        and {{ is_in_scope }}
    group by business_date, currency
),

held as (
    select
        money.business_date,
        money.currency,
        sum(money.credit_amount) as credit_amount,
        sum(money.debit_amount) as debit_amount,
        sum(money.transaction_count) as transaction_count
    from {{ ref('int_money__daily') }} as money
    inner join {{ ref('customer_profile') }} as profiles on money.profile_id = profiles.profile_id
    where {{ is_in_scope }}
    group by money.business_date, money.currency
),

profiles_total as (
    select
        coalesce(sum(transaction_lifetime_count), 0) as lifetime_count,
        coalesce(sum(transaction_365d_count), 0) as year_count
    from {{ ref('customer_profile') }}
),

booked_total as (
    select
        count(*) as lifetime_count,
        {{ count_if('business_date > ' ~ days_before_as_of(365)) }} as year_count
    from {{ ref('stg_transactions') }}
    where
        is_booked
        and business_date <= {{ as_of() }}
),

unequal_days as (
    select
        coalesce(booked.business_date, held.business_date) as business_date,
        coalesce(booked.currency, held.currency) as currency
    from booked
    full outer join held
        on
            booked.business_date = held.business_date
            and booked.currency = held.currency
    where
        booked.credit_amount is distinct from held.credit_amount
        or booked.debit_amount is distinct from held.debit_amount
        or booked.transaction_count is distinct from held.transaction_count
),

unequal_totals as (
    select
        {{ as_of() }} as business_date,
        '(all)' as currency
    from profiles_total
    cross join booked_total
    where
        profiles_total.lifetime_count <> booked_total.lifetime_count
        or profiles_total.year_count <> booked_total.year_count
)

select * from unequal_days
union all
select * from unequal_totals
