select
    message_id as outreach_id,
    customer as party_id,
    campaign,
    case medium
        when 'push' then 'app_push'
        when 'mail' then 'email'
        when 'anruf' then 'phone'
        when 'brief' then 'letter'
        else medium
    end
        as channel,
    sent as sent_at,
    delivered as delivered_at,
    reacted as responded_at,
    bought as converted_at,
    changed as updated_at
from raw
