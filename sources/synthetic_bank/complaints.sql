select
    case_no as complaint_id,
    received as received_at,
    customer as party_id,
    phone,
    product,
    issue,
    case via
        when 'WEB' then 'web'
        when 'APP' then 'app'
        when 'TEL' then 'phone'
        when 'FIL' then 'branch'
        when 'MAIL' then 'email'
        when 'POST' then 'post'
        else via
    end as channel,
    case state when 'OFFEN' then 'open' when 'ERLEDIGT' then 'closed' else state end as status,
    closed as closed_at,
    decision as resolution,
    case in_time when 'ja' then 'true' when 'nein' then 'false' else in_time end as is_timely,
    text,
    changed as updated_at
from raw
