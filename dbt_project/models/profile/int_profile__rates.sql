select
    rate_date,
    currency,
    rate
from {{ ref('stg_fx_rates') }}
where quote_currency = '{{ var("reporting_currency") }}'
