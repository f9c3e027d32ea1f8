{#- twelve months before the first month that is placed -#}
{%- set first_month = month_start(segment_months() + 11) -%}
{%- set rate_date -%}
case when currency <> '{{ var("reporting_currency") }}' then business_date end
{%- endset -%}
with

account_months as (
    select * from {{ ref('int_segments__account_months') }}
),

transactions_daily as (
    select * from {{ ref('int_transactions__daily') }}
    where customer_initiated_count > 0
),

owners as (
    select * from {{ ref('int_accounts__owners') }}
),

rates as (
    select * from {{ ref('int_profile__rates') }}
),

parts as (
    select
        account_id,
        month_start,
        false as is_late,
        currency,
        rate_date,
        active_days,
        initiated_amount
    from account_months
    where
        month_start >= cast('{{ first_month }}' as date)
        and month_start < cast('{{ month_start(0) }}' as date)
    union all
    -- the month under way ends with as_of, though later days may be known
    select
        account_id,
        cast('{{ month_start(0) }}' as date) as month_start,
        false as is_late,
        currency,
        {{ rate_date }} as rate_date,
        {{ day_bit('business_date') }} as active_days,
        customer_initiated_amount as initiated_amount
    from transactions_daily
    where
        business_date >= cast('{{ month_start(0) }}' as date)
        and business_date <= {{ as_of() }}
    {%- if not is_month_over() %}
    union all
    -- and begins twelve months before within one
    select
        account_id,
        cast('{{ month_start(12) }}' as date) as month_start,
        true as is_late,
        currency,
        {{ rate_date }} as rate_date,
        cast(0 as bigint) as active_days,
        customer_initiated_amount as initiated_amount
    from transactions_daily
    where
        business_date >= cast('{{ month_start(12) }}' as date)
        and business_date < cast('{{ month_start(11) }}' as date)
        and {{ day_of_month('business_date') }} > {{ day_of_month(as_of()) }}
    {%- endif %}
),

summed as (
    select
        o.profile_id,
        p.month_start,
        p.is_late,
        p.currency,
        p.rate_date,
        bit_or(p.active_days) as active_days,
        {{ sum_money('p.initiated_amount') }} as initiated_amount
    from parts as p
    inner join owners as o on p.account_id = o.account_id
    group by o.profile_id, p.month_start, p.is_late, p.currency, p.rate_date
),

converted as (
    select
        s.profile_id,
        s.month_start,
        s.is_late,
        s.currency,
        s.rate_date,
        s.active_days,
        {{ in_reporting_currency('s.initiated_amount', 's.currency', 'r.rate') }}
            as initiated_amount
    from summed as s
    left join rates as r
        on
            s.currency = r.currency
            and s.rate_date = r.rate_date
)

select * from converted
