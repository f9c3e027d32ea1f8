-- Standing orders; the extract does not say since when.
select
    'order-' || order_id as holding_id,
    'standing_order' as holding_type,
    k_symbol as product_code,
    account_id,
    amount,
    'USD' as currency,
    'active' as status
from raw
