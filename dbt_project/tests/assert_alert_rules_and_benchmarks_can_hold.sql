-- A row returned is a rule or benchmark without what it needs: a benchmark or level to hold scores
-- against, a metric of which more or less is better, or counts of contacts to hold against days
-- before.
with

registry as (
    select * from {{ ref('cx_metric_registry') }}
),

named as (
    select distinct
        benchmark,
        metric
    from {{ ref('cx_benchmarks') }}
),

rules as (
    select
        a.rule,
        case a.breach_kind
            when 'benchmark' then b.benchmark is not null and a.level is null
            when 'low_score' then a.level is not null and a.benchmark is null
            when 'over_baseline'
                then
                    coalesce(a.over_baseline_share >= 0.2, false)
                    and r.adds_as = 'sum'
                    and r.unit = 'contacts'
        end as has_measure,
        a.breach_kind = 'over_baseline'
        or (r.interval_method <> 'none' and r.direction <> 'none') as has_side,
        a.opens_after >= 1
        and a.closes_after >= 1
        and a.reopens_within_days >= 0
        and a.told_within_days >= 0 as has_days
    from {{ ref('cx_alert_rules') }} as a
    inner join registry as r on a.metric = r.metric
    left join named as b
        on
            a.benchmark = b.benchmark
            and a.metric = b.metric
),

benchmarks as (
    select
        b.benchmark,
        r.direction <> 'none' as has_side
    from {{ ref('cx_benchmarks') }} as b
    inner join registry as r on b.metric = r.metric
)

select rule as name
from rules
where not (has_measure and has_side and has_days)
union all
select benchmark as name
from benchmarks
where not has_side
