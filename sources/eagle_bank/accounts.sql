-- Accounts. All are current accounts of one currency, which the extract does not name.
select
    account_id,
    'current' as account_type,
    frequency as product_code,
    'USD' as currency,
    district_id as branch_id,
    parseddate as opened_date,
    'open' as status
from raw
