{#- how many groups of equal size the values fall into; what comes out does not depend on it -#}
{%- set groups = 32 -%}

with

observations as (
    select * from {{ ref('int_cx__observations') }}
    where
        is_counted
        and metric in (select quantile_of from {{ ref('cx_metric_registry') }})
),

cells as (
    select * from {{ ref('int_cx__quantile_cells') }}
),

counted as (
    select
        metric,
        value,
        count(*) as n
    from observations
    group by metric, value
),

ranked as (
    select
        metric,
        value,
        sum(n) over (partition by metric order by value) - 1 as place,
        sum(n) over (partition by metric) as n
    from counted
),

grouped as (
    select
        metric,
        value,
        cast(floor({{ divide(groups ~ ' * place', 'n', 9) }}) as int) as value_group
    from ranked
),

days as (
    select
        metric,
        metric_date,
        value,
        {{ cx_grouped_dimensions(with_pairs=false) | indent(8) }},
        count(*) as n
    from observations
    group by
        {{ cx_grouping_sets(['metric', 'metric_date', 'value'], with_pairs=false) | indent(8) }}
),

numbered as (
    select
        c.cell_number,
        d.metric_date,
        g.value_group,
        d.value,
        d.n
    from days as d
    inner join grouped as g
        on
            d.metric = g.metric
            and d.value = g.value
    inner join cells as c
        on
            d.metric = c.metric
            and {{ cx_is_same_cell('d', 'c') | indent(12) }}
)

select * from numbered
