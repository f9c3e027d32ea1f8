select
    contract_no as holding_id,
    case kind
        when 'CARD' then 'card'
        when 'CREDIT' then 'loan'
        when 'TERMDEP' then 'deposit'
        when 'DEPOT' then 'investment'
        when 'INSUR' then 'insurance'
        when 'STO' then 'standing_order'
        else kind
    end as holding_type,
    product as product_code,
    cust_no as party_id,
    acct_no as account_id,
    rel_id as account_party_id,
    start_date as opened_date,
    end_date as maturity_date,
    closed_date,
    amount,
    ccy as currency,
    case state
        when 'A' then 'active' when 'C' then 'closed' when 'D' then 'defaulted' else state
    end
        as status
from raw
