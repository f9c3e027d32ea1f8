{#
  Ranks of the values a median and its interval are made of; of an even number of values the middle
  two, of an odd one the same twice.
#}
{% macro cx_median_ranks() %}
    {{- return(['lower_rank', 'middle_rank', 'next_rank', 'upper_rank']) }}
{%- endmacro %}

{#
  Groups of values in which the middle of a window or a bound of its interval lies: counts per group
  come in with their day and go out after the window, so that only those groups' values must be ranked.
  days are cx_value_days, cells have their metric, to_compute are the windows that are wanted.
#}
{% macro cx_value_groups(days, cells, to_compute) -%}
{%- set ranks = cx_median_ranks() -%}
with

lengths as (
    select distinct window_days from {{ to_compute }}
),

numbers as (
    select number from {{ numbers(cx_windows() | max) }}
),

counted as (
    select
        cell_number,
        value_group,
        metric_date,
        sum(n) as n
    from {{ days }}
    group by cell_number, value_group, metric_date
),

changes as (
    {%- for day, sign in [('metric_date', ''), (add_days('metric_date', 'window_days'), '-')] %}
    select
        cell_number,
        value_group,
        window_days,
        {{ day }} as change_date,
        {{ sign }}n as n
    from counted
    cross join lengths
    {{ "union all" if not loop.last }}
    {%- endfor %}
),

changed as (
    select
        cell_number,
        value_group,
        window_days,
        change_date,
        {{ sum_integer('n') }} as n
    from changes
    where change_date <= {{ as_of() }}
    group by cell_number, value_group, window_days, change_date
),

summed as (
    select
        cell_number,
        value_group,
        window_days,
        change_date,
        coalesce(lead(change_date) over runs, {{ add_days(as_of(), 1) }}) as next_change_date,
        cast(sum(n) over runs as bigint) as n
    from changed
    window runs as (partition by cell_number, value_group, window_days order by change_date)
),

-- a row a day: what is in the window goes out within its days, so there is a change by then
dated as (
    select
        s.cell_number,
        s.value_group,
        s.window_days,
        {{ add_days('s.change_date', 'k.number') }} as metric_date,
        s.n
    from summed as s
    inner join numbers as k
        on k.number < {{ days_between('s.change_date', 's.next_change_date') }}
    where s.n > 0
),

placed as (
    select
        t.*,
        cast(sum(t.n) over (
            partition by t.cell_number, t.window_days, t.metric_date
            order by t.value_group
        ) as bigint) as n_up_to,
        cast(
            sum(t.n) over (partition by t.cell_number, t.window_days, t.metric_date) as bigint
        ) as n_total
    from dated as t
    inner join {{ cells }} as c on t.cell_number = c.cell_number
    inner join {{ to_compute }} as d
        on
            c.metric = d.metric
            and t.window_days = d.window_days
            and t.metric_date = d.metric_date
),

ranked as (
    select
        *,
        {{ median_lower_rank('n_total') }} as lower_rank,
        cast(floor((n_total + 1) * 0.5e0) as bigint) as middle_rank,
        cast(floor(n_total * 0.5e0) as bigint) + 1 as next_rank,
        n_total + 1 - {{ median_lower_rank('n_total') }} as upper_rank
    from placed
)

select * from ranked
where
    {%- for rank in ranks %}
    ({{ rank }} > n_up_to - n and {{ rank }} <= n_up_to){{ " or" if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#
  The values of groups of values, each with n_up_to, the last of the n ranks it has in its window.
#}
{% macro cx_values_of_groups(days, groups) -%}
{%- set ranks = cx_median_ranks() -%}
{%- set group_keys = 'g.cell_number, g.window_days, g.metric_date, g.value_group, g.n_total' -%}
with

numbers as (
    select number from {{ numbers(cx_windows() | max) }}
),

-- each day of a window by its date: an equality is what both engines join quickest by
event_days as (
    select
        g.*,
        {{ add_days('g.metric_date', '-k.number') }} as event_date
    from {{ groups }} as g
    inner join numbers as k on g.window_days > k.number
),

counted as (
    select
        {{ group_keys }},
        g.n_up_to - g.n as n_before,
        {%- for rank in ranks %}
        g.{{ rank }},
        {%- endfor %}
        d.value,
        {{ sum_integer('d.n') }} as n
    from event_days as g
    inner join {{ days }} as d
        on
            g.cell_number = d.cell_number
            and g.value_group = d.value_group
            and g.event_date = d.metric_date
    group by
        {{ group_keys }},
        g.n_up_to - g.n,
        {%- for rank in ranks %}
        g.{{ rank }},
        {%- endfor %}
        d.value
),

ranked as (
    select
        *,
        n_before + sum(n) over (
            partition by cell_number, window_days, metric_date, value_group
            order by value
        ) as n_up_to
    from counted
)

select * from ranked
{%- endmacro %}
