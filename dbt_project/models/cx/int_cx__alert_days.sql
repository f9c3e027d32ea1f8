with

rules as (
    select
        a.*,
        a.breach_kind in ('over_baseline', 'keyword_count')
        or r.direction = 'down' as is_high_bad
    from {{ ref('cx_alert_rules') }} as a
    left join {{ ref('cx_metric_registry') }} as r on a.metric = r.metric
),

metrics as (
    select * from {{ ref('cx_metrics_daily') }}
    where is_final
),

benchmarks as (
    select * from {{ ref('cx_benchmarks') }}
),

baselines as (
    select * from {{ ref('int_cx__baselines') }}
),

keywords as (
    select * from {{ ref('int_cx__keyword_days') }}
),

-- days of scores: n that counts, and the sides of the level the figures are on
scores as (
    select
        r.rule,
        r.rule_version,
        m.dimension_set,
        {{ cx_dimension_columns('m') }},
        m.metric_date,
        m.n,
        m.value,
        m.lower_bound,
        m.upper_bound,
        coalesce(r.level, b.value) as level,
        m.n as n_that_counts,
        case when r.is_high_bad
            then m.lower_bound > coalesce(r.level, b.value)
            else m.upper_bound < coalesce(r.level, b.value)
        end as is_beyond,
        case when r.is_high_bad
            then m.value <= coalesce(r.level, b.value)
            else m.value >= coalesce(r.level, b.value)
        end as is_back
    from metrics as m
    inner join rules as r
        on
            m.metric = r.metric
            and m.dimension_set = r.dimension_set
            and r.breach_kind in ('benchmark', 'low_score')
    left join benchmarks as b
        on
            r.benchmark = b.benchmark
            and m.metric_date >= b.valid_from
            and coalesce(m.metric_date < b.valid_to, true)
),

counts as (
    select
        b.rule,
        b.rule_version,
        b.dimension_set,
        {{ cx_dimension_columns('b') }},
        b.metric_date,
        b.n,
        cast(b.n as double) as value,
        cast(null as double) as lower_bound,
        cast(null as double) as upper_bound,
        b.baseline as level,
        b.baseline_n as n_that_counts,
        b.n > b.limit_value and b.tail_chance < r.breach_chance as is_beyond,
        b.n <= b.limit_value as is_back
    from baselines as b
    inner join rules as r
        on
            b.rule = r.rule
            and b.rule_version = r.rule_version
),

united as (
    select * from scores
    union all
    select * from counts
    union all
    select * from keywords
),

stated as (
    select
        u.*,
        r.metric,
        r.is_high_bad,
        r.opens_after,
        r.closes_after,
        r.reopens_within_days,
        case
            when u.n_that_counts < r.minimum_n then null
            when u.is_beyond then 'breach'
            when u.is_back then 'clear'
        end as state
    from united as u
    inner join rules as r
        on
            u.rule = r.rule
            and u.rule_version = r.rule_version
    where
        u.metric_date >= r.valid_from
        and coalesce(u.metric_date < r.valid_to, true)
)

select * from stated
