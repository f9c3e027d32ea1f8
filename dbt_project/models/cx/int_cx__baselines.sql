{%- set days = cx_windows()[1] -%}
{%- set series = ['rule', 'rule_version', 'dimension_set'] + cx_dimensions() -%}

with

rules as (
    select * from {{ ref('cx_alert_rules') }}
    where breach_kind = 'over_baseline'
),

metrics as (
    select * from {{ ref('cx_metrics_daily') }}
    where is_final
),

final_days as (
    select * from {{ ref('int_cx__days') }}
    where
        window_days = 1
        and final_date <= {{ as_of() }}
),

series as (
    select distinct
        r.rule,
        r.rule_version,
        r.metric,
        r.over_baseline_share,
        m.dimension_set,
        {{ cx_dimension_columns('m') }}
    from rules as r
    inner join metrics as m
        on
            r.metric = m.metric
            and r.dimension_set = m.dimension_set
),

-- a day on which the bank was open and nobody came is a day of none
counted as (
    select
        s.*,
        d.metric_date,
        coalesce(m.n, 0) as n
    from series as s
    inner join final_days as d on s.metric = d.metric
    left join metrics as m
        on
            s.metric = m.metric
            and d.metric_date = m.metric_date
            and {{ cx_is_same_cell('s', 'm') | indent(12) }}
),

summed as (
    select
        *,
        count(*) over before as day_count,
        sum(n) over before as baseline_n
    from counted
    window before as (
        partition by {{ series | join(', ') }}
        order by metric_date
        rows between {{ days }} preceding and 1 preceding
    )
),

baselines as (
    select
        *,
        {{ divide('baseline_n', 'day_count', 9) }} as baseline,
        {{ divide('baseline_n * (1 + over_baseline_share)', 'day_count', 9) }} as limit_value
    from summed
    where day_count = {{ days }}
),

-- each term of the tail is less than the one before by baseline / count, which is under
-- 1 / (1 + over_baseline_share): so many of them are all of it
terms as (
    select number from {{ numbers(200) }}
),

tails as (
    select
        {{ series | join(', ') }},
        b.metric_date,
        {{ round_double(
            'sum(' ~ poisson_chance('(b.n + t.number)', 'b.baseline') ~ ')', 9
        ) }} as tail_chance
    from baselines as b
    cross join terms as t
    where
        b.baseline_n > 0
        and b.n > b.limit_value
    group by {{ series | join(', ') }}, b.metric_date
),

judged as (
    select
        b.*,
        t.tail_chance
    from baselines as b
    left join tails as t
        on
            b.metric_date = t.metric_date
            {%- for column in series %}
            and b.{{ column }} = t.{{ column }}
            {%- endfor %}
)

select
    {{ series | join(', ') }},
    metric_date,
    n,
    cast(baseline_n as bigint) as baseline_n,
    baseline,
    limit_value,
    tail_chance
from judged
