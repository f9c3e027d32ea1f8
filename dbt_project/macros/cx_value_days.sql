{#
  How many observations of a cell had a value on a day, and the group the value is in: groups of about
  equal size, from the lowest. A median does not depend on how many there are. cells are numbered,
  windows has a row per metric and window_days, with its first_date.
#}
{% macro cx_value_days(observations, cells, windows) -%}
{%- set groups = 32 -%}
with

spans as (
    select
        metric,
        min(first_date) as first_date
    from {{ windows }}
    group by metric
),

observations as (
    select o.*
    from {{ observations }} as o
    inner join spans as s
        on
            o.metric = s.metric
            and o.metric_date >= s.first_date
    where o.is_counted
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
)

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
inner join {{ cells }} as c
    on
        d.metric = c.metric
        and {{ cx_is_same_cell('d', 'c') | indent(8) }}
{%- endmacro %}
