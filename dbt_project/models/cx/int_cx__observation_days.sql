select
    o.metric,
    o.metric_date,
    max(o.final_date) as final_date,
    {{ digest_of_rows('o') }} as digest
from {{ ref('int_cx__placed_observations') }} as o
group by o.metric, o.metric_date
