select
    ACCT_NO as account_id,
    case ACCT_TYPE
        when 'GIRO' then 'current'
        when 'FIRMA' then 'current'
        when 'SPAR' then 'savings'
        when 'KARTE' then 'card'
        when 'DARL' then 'loan'
        when 'TERM' then 'deposit'
        when 'DEPOT' then 'investment'
        when 'SONST' then 'other'
        else ACCT_TYPE
    end as account_type,
    PRODUCT as product_code,
    CCY as currency,
    BRANCH as branch_id,
    OPEN_DT as opened_date,
    CLOSE_DT as closed_date,
    case STAT when 'O' then 'open' when 'D' then 'dormant' when 'C' then 'closed' else STAT end
        as status,
    LAST_CHANGE as updated_at
from raw
