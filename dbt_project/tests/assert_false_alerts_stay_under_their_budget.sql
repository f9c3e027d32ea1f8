-- Rows returned are the rules of a bank that is to expect more false episodes over all cells they
-- watch than one in 28 days (alert_budget_days of seed cx_rules), those with most first.
{{ config(severity='warn') }}

with

series as (
    select distinct
        rule,
        rule_version,
        dimension_set,
        {{ cx_dimension_columns() }}
    from {{ ref('int_cx__alert_days') }}
),

rules as (
    select * from {{ ref('cx_alert_rules') }}
    where {{ as_of() }} >= valid_from and coalesce({{ as_of() }} < valid_to, true)
),

expected as (
    select
        r.rule,
        count(*) as series_count,
        sum(r.expected_false_per_series_year) as expected_per_year
    from series as s
    inner join rules as r
        on
            s.rule = r.rule
            and s.rule_version = r.rule_version
    group by r.rule
),

summed as (
    select
        *,
        sum(expected_per_year) over () as bank_per_year
    from expected
)

select
    s.rule,
    s.series_count,
    s.expected_per_year,
    s.bank_per_year
from summed as s
cross join {{ ref('int_cx__rules') }} as r
where s.bank_per_year * r.alert_budget_days > 365
order by s.expected_per_year desc, s.rule
