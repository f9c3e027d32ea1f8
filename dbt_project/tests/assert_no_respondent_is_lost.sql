-- A row returned is an NPS row whose promoters, passives and detractors are not all of its
-- respondents.
select *
from {{ ref('cx_metrics_daily') }}
where
    promoter_count is not null
    and promoter_count + passive_count + detractor_count <> n
