with

days as (
    {{ rows_to_compute(ref('int_cx__observation_days')) | indent(4) }}
)

select
    o.*,
    d.digest
from {{ ref('int_cx__placed_observations') }} as o
inner join days as d
    on
        o.metric = d.metric
        and o.metric_date = d.metric_date
