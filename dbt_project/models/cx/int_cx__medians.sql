{%- set names = 'metric, dimension_set, ' ~ cx_dimension_columns() -%}

with

days_to_compute as (
    {{ rows_to_compute(ref('int_cx__days')) | indent(4) }}
),

to_compute as (
    select * from days_to_compute
    where metric in (select quantile_of from {{ ref('cx_metric_registry') }})
),

-- days before that are in no window to compute
windows as (
    select
        metric,
        window_days,
        {{ add_days('min(metric_date)', '1 - window_days') }} as first_date
    from to_compute
    group by metric, window_days
),

-- a number of a cell is quicker to sort by than its seven names
cells as (
    select
        {{ names }},
        row_number() over (order by {{ names }}) as cell_number
    from {{ ref('int_cx__daily_cells') }}
    where
        metric in (select metric from windows)
        and n > 0
    group by {{ names }}
),

days as (
    {{ cx_value_days(ref('int_cx__observations'), 'cells', 'windows') | indent(4) }}
),

groups_of_values as (
    {{ cx_value_groups('days', 'cells', 'to_compute') | indent(4) }}
),

ranked as (
    {{ cx_values_of_groups('days', 'groups_of_values') | indent(4) }}
),

found as (
    select
        cell_number,
        window_days,
        metric_date,
        n_total,
        {%- for rank in cx_median_ranks() %}
        max(case when {{ rank }} > n_up_to - n and {{ rank }} <= n_up_to then value end)
            as {{ rank | replace('rank', 'value') }}{{ "," if not loop.last }}
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
