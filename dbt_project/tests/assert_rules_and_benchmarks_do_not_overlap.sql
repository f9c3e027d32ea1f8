-- A row returned is a row of a seed that holds on a day on which another of the same key holds: a
-- benchmark, a rule, or a target of the same cell.
with

periods as (
    select
        'benchmark ' || benchmark as subject,
        benchmark as name,
        valid_from,
        coalesce(valid_to, {{ end_of_time() }}) as valid_to
    from {{ ref('cx_benchmarks') }}
    union all
    select
        'target ' || metric || ':' || dimension_set
        {%- for dimension in cx_dimensions() %}
        || ':' || {{ dimension }}
        {%- endfor %} as subject,
        benchmark as name,
        valid_from,
        coalesce(valid_to, {{ end_of_time() }}) as valid_to
    from {{ ref('cx_benchmarks') }}
    where kind = 'target'
    union all
    select
        'rule ' || rule as subject,
        rule as name,
        valid_from,
        coalesce(valid_to, {{ end_of_time() }}) as valid_to
    from {{ ref('cx_alert_rules') }}
),

followed as (
    select
        *,
        lead(valid_from) over (
            partition by subject
            order by valid_from, valid_to, name
        ) as next_from
    from periods
)

select *
from followed
where
    next_from < valid_to
    or valid_to <= valid_from
