select
    booking_no as entry_id,
    cust_no as party_id,
    booked as booked_date,
    points,
    case kind
        when 'SAMMELN' then 'earn'
        when 'EINLOESEN' then 'redeem'
        when 'VERFALL' then 'expire'
        when 'KORREKTUR' then 'adjust'
        else kind
    end as entry_type,
    usable_until as expires_date,
    purpose as reference
from raw
