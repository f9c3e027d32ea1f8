-- A row returned is a rule or benchmark without what it needs: a benchmark or level to hold scores
-- against, a metric of which more or less is better, counts of contacts to hold against days
-- before, or a keyword and so many texts that an episode tells of no person.
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
            when 'keyword_count'
                then
                    coalesce(a.level >= f.identifying_below_n, false)
                    and coalesce(a.usual_count > 0, false)
                    and a.minimum_n <= a.level
                    and a.metric = 'topic_text_count'
                    and a.dimension_set = 'product'
        end as has_measure,
        (a.keyword is not null) = (a.breach_kind = 'keyword_count') as has_keyword,
        a.breach_kind in ('over_baseline', 'keyword_count')
        or (r.interval_method <> 'none' and r.direction <> 'none') as has_side,
        a.opens_after >= 1
        and a.closes_after >= 1
        and a.reopens_within_days >= 0
        and a.told_within_days >= 0 as has_days
    from {{ ref('cx_alert_rules') }} as a
    cross join {{ ref('int_cx__rules') }} as f
    left join registry as r on a.metric = r.metric
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
where not (has_measure and has_keyword and has_side and has_days)
union all
select benchmark as name
from benchmarks
where not has_side
