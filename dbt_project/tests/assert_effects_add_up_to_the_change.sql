-- A row returned is a metric, dimension and month whose effects are not its change.
with

moves as (
    select * from {{ ref('cx_metric_moves') }}
)

select
    metric,
    dimension,
    month_date
from moves
group by metric, dimension, month_date
having
    abs(sum(rate_effect + mix_effect + entry_effect + exit_effect) - max(total_change)) > 1e-9
    or min(total_change) <> max(total_change)
