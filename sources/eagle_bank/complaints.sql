-- Complaints. Client ids are written 1925 for C00001925; only days are known. When one was
-- closed is not: date_sent_to_company is when the regulator passed it on.
select
    complaint_id,
    date_received as received_at,
    'C' || lpad(nullif(trim(client_id), ''), 8, '0') as party_id,
    product,
    issue,
    case submitted_via
        when 'Web' then 'web' when 'Phone' then 'phone' when 'Referral' then 'referral' when
            'Postal mail'
            then 'post'
        when 'Fax' then 'fax' when 'Email' then 'email' else submitted_via
    end as channel,
    case company_response_to_consumer when 'In progress' then 'open' else 'closed' end as status,
    company_response_to_consumer as resolution,
    timely_response as is_timely
from raw
