-- Reviews: 1 to 5 stars for a product, by district; nobody knows by whom, and they have no key.
select
    null as response_id,
    date as responded_at,
    'review_stars' as question_id,
    'csat' as question_family,
    'relationship' as survey_kind,
    1 as scale_min,
    5 as scale_max,
    true as is_high_good,
    stars as score,
    product,
    'district ' || district_id as region,
    reviews as comment
from raw
