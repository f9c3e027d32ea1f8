select
    invitation as invitation_id,
    delivered as delivered_at,
    customer as party_id,
    sent_to as address,
    question as question_id,
    case kind when 'REL' then 'relationship' when 'TRX' then 'transactional' else kind end
        as survey_kind,
    channel,
    touchpoint,
    product,
    region
from raw
