-- Cards hang on a disposition.
select
    card_id as holding_id,
    'card' as holding_type,
    type as product_code,
    disp_id as account_party_id,
    fulldate as opened_date,
    'active' as status
from raw
