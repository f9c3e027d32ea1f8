{#- rank, and the column of the value that has it -#}
{%- set ranks = {
    'lower_rank': 'lower_value',
    'middle_rank': 'middle_value',
    'next_rank': 'next_value',
    'upper_rank': 'upper_value',
} -%}
{%- set group_keys = 'g.cell_number, g.window_days, g.metric_date, g.value_group, g.n_total' -%}

with

to_compute as (
    {{ rows_to_compute(ref('int_cx__days')) | indent(4) }}
),

days as (
    select * from {{ ref('int_cx__quantile_days') }}
),

cells as (
    select * from {{ ref('int_cx__quantile_cells') }}
),

groups_of_values as (
    select g.*
    from {{ ref('int_cx__quantile_groups') }} as g
    inner join cells as c on g.cell_number = c.cell_number
    inner join to_compute as t
        on
            c.metric = t.metric
            and g.window_days = t.window_days
            and g.metric_date = t.metric_date
),

numbers as (
    select number from {{ numbers(cx_windows() | max) }}
),

-- each day of a window by its date: an equality is what both engines join quickest by
event_days as (
    select
        g.*,
        {{ add_days('g.metric_date', '-k.number') }} as event_date
    from groups_of_values as g
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
    inner join days as d
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

-- ranks a value has in its window: from n_up_to - n + 1 to n_up_to
ranked as (
    select
        *,
        n_before + sum(n) over (
            partition by cell_number, window_days, metric_date, value_group
            order by value
        ) as n_up_to
    from counted
),

found as (
    select
        cell_number,
        window_days,
        metric_date,
        n_total,
        {%- for rank, value in ranks.items() %}
        max(case when {{ rank }} > n_up_to - n and {{ rank }} <= n_up_to then value end)
            as {{ value }}{{ "," if not loop.last }}
        {%- endfor %}
    from ranked
    group by cell_number, window_days, metric_date, n_total
),

described as (
    select
        c.metric,
        f.window_days,
        f.metric_date,
        c.dimension_set,
        {{ cx_dimension_columns('c') }},
        f.n_total as n,
        {{ divide('f.middle_value + f.next_value', '2') }} as median_value,
        {{ round_double('cast(f.lower_value as double)') }} as lower_value,
        {{ round_double('cast(f.upper_value as double)') }} as upper_value,
        t.digest
    from found as f
    inner join cells as c on f.cell_number = c.cell_number
    inner join to_compute as t
        on
            c.metric = t.metric
            and f.window_days = t.window_days
            and f.metric_date = t.metric_date
)

select * from described
