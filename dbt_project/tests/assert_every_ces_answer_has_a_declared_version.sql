-- A row returned is a CES scale that no declared version has: its answers are in the profile
-- but in no metric.
{{ config(severity='warn') }}

select
    scale_min,
    scale_max,
    is_high_good,
    count(*) as answer_count
from {{ ref('int_cx__answers') }}
where
    question_family = 'ces'
    and ces_version is null
group by scale_min, scale_max, is_high_good
