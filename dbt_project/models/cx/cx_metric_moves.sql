{#- Griliches and Regev 1995; plugins/cx360/statistics/moves.py says the same in fractions. -#}
with

pairs as (
    select * from {{ ref('int_cx__month_pairs') }}
),

changes as (
    select * from {{ ref('int_cx__month_changes') }}
),

shared as (
    select
        p.*,
        c.total_before,
        c.total_after,
        c.total_change,
        c.change_lower_bound,
        c.change_upper_bound,
        c.unit,
        {{ divide('p.n_before', 'c.n_before', 15) }} as share_before,
        {{ divide('p.n_after', 'c.n_after', 15) }} as share_after,
        {{ divide('p.sum_before', 'p.n_before', 12) }} as value_before,
        {{ divide('p.sum_after', 'p.n_after', 12) }} as value_after
    from pairs as p
    inner join changes as c
        on
            p.metric = c.metric
            and p.month_date = c.month_date
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
        metric,
        dimension,
        month_date,
        dimension_value,
        n_before,
        n_after,
        value_before,
        value_after,
        coalesce({{ round_double('rate_effect', 12) }}, 0) as rate_effect,
        coalesce({{ round_double('mix_effect', 12) }}, 0) as mix_effect,
        coalesce({{ round_double('entry_effect', 12) }}, 0) as entry_effect,
        coalesce({{ round_double('exit_effect', 12) }}, 0) as exit_effect,
        is_pooled,
        dimension_value_count,
        total_before,
        total_after,
        total_change,
        change_lower_bound,
        change_upper_bound,
        unit
    from effects
)

select * from final
