-- A row returned is a rule whose stated false episodes are not those of the formula (decision
-- 0040).
with

counted as (
    select
        *,
        breach_chance + clear_chance as counted_share,
        {{ divide('breach_chance', 'breach_chance + clear_chance', 12) }} as chance
    from {{ ref('cx_alert_rules') }}
),

expected as (
    select
        *,
        365 * counted_share * {{ divide(
            '(1 - chance) * power(chance, opens_after)', '1 - power(chance, opens_after)', 12
        ) }} as expected_count
    from counted
)

select *
from expected
where abs(expected_count - expected_false_per_series_year) > 1e-6
