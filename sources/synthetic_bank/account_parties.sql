select
    ACCT_NO as account_id,
    CUST_NO as party_id,
    case ROLE
        when 'KI' then 'owner' when 'MI' then 'joint_owner' when 'BV' then 'user' else ROLE
    end
        as role,
    REL_ID as account_party_id
from raw
