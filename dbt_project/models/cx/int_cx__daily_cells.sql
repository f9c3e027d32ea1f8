with

to_compute as (
    {{ rows_to_compute(ref('int_cx__days')) | indent(4) }}
),

days as (
    select * from to_compute
    where window_days = 1
),

observations as (
    select o.*
    from {{ ref('int_cx__observations') }} as o
    inner join days as d
        on
            o.metric = d.metric
            and o.metric_date = d.metric_date
),

-- most persons have one observation of a day: only the others must be told apart
repeated as (
    select
        metric,
        metric_date,
        person_key
    from observations
    where is_counted
    group by metric, metric_date, person_key
    having count(*) > 1
),

marked as (
    select
        o.*,
        r.person_key as repeated_person_key
    from observations as o
    left join repeated as r
        on
            o.metric = r.metric
            and o.metric_date = r.metric_date
            and o.person_key = r.person_key
),

grouped as (
    select
        metric,
        metric_date,
        {{ cx_grouped_dimensions() | indent(8) }},
        {{ count_if('is_counted and repeated_person_key is null') }}
        + count(distinct case when is_counted then repeated_person_key end) as n_persons,
        {{- cx_sums_of_observations() | indent(4) }}
    from marked
    group by {{ cx_grouping_sets(['metric', 'metric_date']) | indent(4) }}
)

select
    g.*,
    d.window_days,
    d.digest
from grouped as g
inner join days as d
    on
        g.metric = d.metric
        and g.metric_date = d.metric_date
