select
    id as event_id,
    ts as occurred_at,
    dev as device,
    usr as app_user,
    cust as party_id,
    sid as session_id,
    name as event_name,
    feat as feature,
    case os when 'iOS' then 'ios' when 'Android' then 'android' when 'Web' then 'web' else os end
        as platform,
    err as is_error
from raw
