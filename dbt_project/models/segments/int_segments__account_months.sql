{%- set rate_date -%}
case when currency <> '{{ var("reporting_currency") }}' then business_date end
{%- endset -%}
{{ config(meta={'feed': 'transactions'}) }}

with

transactions_daily as (
    select * from {{ ref('int_transactions__daily') }}
    where
        customer_initiated_count > 0
        and {{ in_scope_months('transactions', 'business_date') }}
),

-- money in other currencies is converted at the rates of its days
account_months as (
    select
        account_id,
        {{ first_of_month('business_date') }} as month_start,
        currency,
        {{ rate_date }} as rate_date,
        bit_or({{ day_bit('business_date') }}) as active_days,
        {{ sum_money('customer_initiated_amount') }} as initiated_amount
    from transactions_daily
    group by
        account_id,
        {{ first_of_month('business_date') }},
        currency,
        {{ rate_date }}
)

select * from account_months
