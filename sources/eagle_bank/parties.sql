-- Clients. The extract keeps no versions and says nothing of when somebody became a client.
select
    client_id as party_id,
    'person' as party_type,
    concat_ws(' ', first, nullif(trim(middle), ''), last) as full_name,
    fulldate as birth_date,
    year as birth_year,
    lower(sex) as gender,
    social as document_number,
    phone,
    email,
    concat_ws(', ', address_1, nullif(trim(address_2), ''), city, state || ' ' || zipcode)
        as address,
    city,
    state as region,
    district_id as branch_id,
    'active' as status
from raw
