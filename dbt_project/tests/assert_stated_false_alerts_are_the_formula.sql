-- A row returned is a rule whose stated false episodes are not those of the formula, or whose
-- chance of as many texts as its level is not that of its usual count (decision 0040).
with

rules as (
    select * from {{ ref('cx_alert_rules') }}
),

-- terms of a tail, which fall to nothing long before
terms as (
    select number from {{ numbers(200) }}
),

tails as (
    select
        r.rule,
        r.rule_version,
        {{ round_double(
            'sum(' ~ poisson_chance('(r.level + t.number)', 'r.usual_count') ~ ')', 9
        ) }} as tail_chance
    from rules as r
    cross join terms as t
    where r.breach_kind = 'keyword_count'
    group by r.rule, r.rule_version
),

counted as (
    select
        r.*,
        t.tail_chance,
        r.breach_chance + r.clear_chance as counted_share,
        {{ divide('r.breach_chance', 'r.breach_chance + r.clear_chance', 12) }} as chance
    from rules as r
    left join tails as t
        on
            r.rule = t.rule
            and r.rule_version = t.rule_version
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
where
    abs(expected_count - expected_false_per_series_year) > 1e-6
    or abs(tail_chance - breach_chance) > 2e-9
    or (tail_chance is not null and abs(counted_share - 1) > 2e-9)
