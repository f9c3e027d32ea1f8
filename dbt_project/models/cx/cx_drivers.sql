with

estimates as (
    select * from {{ source('estimated', 'driver_estimates') }}
),

rules as (
    select * from {{ ref('driver_rules') }}
),

drivers as (
    select
        e.metric,
        e.quarter_date,
        e.driver,
        r.unit,
        r.expected_direction,
        e.direction,
        e.effect_points,
        e.effect_low_points,
        e.effect_high_points,
        e.elasticity_at_mean,
        e.importance_share,
        e.importance_low_share,
        e.importance_high_share,
        e.r_squared,
        e.driver_mean,
        e.n_answers,
        e.n_persons,
        e.linked_share,
        e.effect_points is not null as is_published
    from estimates as e
    inner join rules as r on e.driver = r.driver
)

select * from drivers
