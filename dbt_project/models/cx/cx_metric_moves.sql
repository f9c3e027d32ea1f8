{#- Griliches and Regev 1995; plugins/cx360/statistics/moves.py says the same in fractions. -#}
with

pairs as (
    select * from {{ ref('int_cx__month_pairs') }}
),

registry as (
    select * from {{ ref('cx_metric_registry') }}
),

rules as (
    select * from {{ ref('int_cx__rules') }}
),

totals as (
    select
        metric,
        dimension,
        month_date,
        sum(n_before) as n_before,
        sum(n_after) as n_after,
        {{ divide('sum(sum_before)', 'sum(n_before)', 12) }} as total_before,
        {{ divide('sum(sum_after)', 'sum(n_after)', 12) }} as total_after
    from pairs
    group by metric, dimension, month_date
    having
        sum(n_before) >= (select identifying_below_n from rules)
        and sum(n_after) >= (select identifying_below_n from rules)
),

shared as (
    select
        p.*,
        t.total_before,
        t.total_after,
        {{ divide('p.n_before', 't.n_before', 15) }} as share_before,
        {{ divide('p.n_after', 't.n_after', 15) }} as share_after,
        {{ divide('p.sum_before', 'p.n_before', 12) }} as value_before,
        {{ divide('p.sum_after', 'p.n_after', 12) }} as value_after
    from pairs as p
    inner join totals as t
        on
            p.metric = t.metric
            and p.dimension = t.dimension
            and p.month_date = t.month_date
),

-- a value is null where the part is not there, and so is what only a part of both months has
effects as (
    select
        *,
        (share_before + share_after) * (value_after - value_before) * 0.5e0 as rate_effect,
        (share_after - share_before)
        * (value_before + value_after - total_before - total_after) * 0.5e0 as mix_effect,
        case
            when n_before = 0
                then share_after * (value_after - (total_before + total_after) * 0.5e0)
        end as entry_effect,
        case
            when n_after = 0
                then -share_before * (value_before - (total_before + total_after) * 0.5e0)
        end as exit_effect
    from shared
),

final as (
    select
        e.metric,
        e.dimension,
        e.month_date,
        e.dimension_value,
        e.n_before,
        e.n_after,
        e.value_before,
        e.value_after,
        coalesce({{ round_double('e.rate_effect', 12) }}, 0) as rate_effect,
        coalesce({{ round_double('e.mix_effect', 12) }}, 0) as mix_effect,
        coalesce({{ round_double('e.entry_effect', 12) }}, 0) as entry_effect,
        coalesce({{ round_double('e.exit_effect', 12) }}, 0) as exit_effect,
        e.is_pooled,
        e.dimension_value_count,
        e.total_before,
        e.total_after,
        {{ round_double('e.total_after - e.total_before', 12) }} as total_change,
        r.unit
    from effects as e
    inner join registry as r on e.metric = r.metric
)

select * from final
