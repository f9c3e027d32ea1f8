select
    day as rate_date,
    from_ccy as currency,
    to_ccy as quote_currency,
    rate,
    set_at as updated_at
from raw
