-- A row returned is a window and day whose agents do not add up to the calls and the seconds of
-- handling time, before anything is hidden: their legs, what these lack of their calls' seconds,
-- and the calls passed on that have none.
with

agents as (
    select
        window_days,
        metric_date,
        sum(handled_count) as handled_count,
        sum(handle_seconds + difference_seconds + unsplit_seconds) as seconds
    from {{ ref('int_cx__agent_cells') }}
    group by window_days, metric_date
),

totals as (
    select
        window_days,
        metric_date,
        n + n_left_out as handled_count,
        value_sum
    from {{ ref('int_cx__metrics') }}
    where
        metric = 'aht_seconds'
        and dimension_set = 'total'
)

select
    coalesce(a.window_days, t.window_days) as window_days,
    coalesce(a.metric_date, t.metric_date) as metric_date
from agents as a
full outer join totals as t
    on
        a.window_days = t.window_days
        and a.metric_date = t.metric_date
where
    a.handled_count is distinct from t.handled_count
    or a.seconds is distinct from t.value_sum
