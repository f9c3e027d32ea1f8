-- Clients. The extract keeps no versions and says nothing of when somebody became a client.
select
    client_id as party_id,
    'person' as party_type,
    concat_ws(' ', first, nullif(trim(middle), ''), last) as full_name,
    concat_ws(' ', first, nullif(trim(middle), '')) as given_name,
    last as family_name,
    fulldate as birth_date,
    year as birth_year,
    lower(sex) as gender,
    social as document_number,
    'social_security_number' as document_type,
    'US' as document_issuer,
    'true' as is_document_verified,
    phone,
    email,
    concat_ws(', ', address_1, nullif(trim(address_2), ''), city, state || ' ' || zipcode)
        as address,
    zipcode as postcode,
    city,
    state as region,
    district_id as branch_id,
    'active' as status
from raw
