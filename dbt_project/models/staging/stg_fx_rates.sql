with

current_versions as (
    {{ current_versions(
        'fx_rates',
        key=['rate_date', 'currency', 'quote_currency'],
        version='updated_at',
    ) | indent(4) }}
),

fx_rates as (
    select
        rate_date,
        currency,
        quote_currency,
        rate,
        updated_at,
        source,
        arrival_number
    from current_versions
)

select * from fx_rates
