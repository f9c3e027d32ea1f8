select
    response_uuid as response_id,
    submitted as responded_at,
    customer as party_id,
    sent_to as address,
    question as question_id,
    case metric when 'NPS' then 'nps' when 'CSAT' then 'csat' when 'CES' then 'ces' else metric end
        as question_family,
    case kind when 'REL' then 'relationship' when 'TRX' then 'transactional' else kind end
        as survey_kind,
    "min" as scale_min,
    "max" as scale_max,
    high_is_good as is_high_good,
    "value" as score,
    channel,
    product,
    region,
    call_ref as call_id,
    invitation as invitation_id,
    touchpoint,
    verbatim as comment
from raw
