-- Dispositions: a user may act on the account, the money is the owner's.
select
    account_id,
    client_id as party_id,
    disp_id as account_party_id,
    case type when 'Owner' then 'owner' when 'User' then 'user' else type end as role
from raw
