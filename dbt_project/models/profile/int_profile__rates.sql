{%- set valid_days = profile_rule('rate_valid_days') | int -%}
with

rates as (
    select
        rate_date,
        currency,
        rate
    from {{ ref('stg_fx_rates') }}
    where quote_currency = '{{ var("reporting_currency") }}'
),

days as (
    select
        rate_date,
        lead(rate_date) over (order by rate_date) as next_rate_date
    from (select distinct rates.rate_date from rates) as rate_dates
),

-- weekends and holidays have no rates of their own; a currency without one among others has none
carried as (
    {%- for number in range(valid_days + 1) %}
    {% if number %}union all{% endif %}
    select
        {{ add_days('r.rate_date', number) }} as rate_date,
        r.currency,
        r.rate
    from rates as r
    inner join days as d on r.rate_date = d.rate_date
    where coalesce({{ add_days('r.rate_date', number) }} < d.next_rate_date, true)
    {%- endfor %}
)

select * from carried
