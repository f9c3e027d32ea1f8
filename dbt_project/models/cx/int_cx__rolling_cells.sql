{#-
  A window's sums are those of its days, less what counts in it once though it is in several of them:
  that goes out on the day of the later answer, and comes back when its own expiry takes it out again.
-#}
{%- set keys = 'metric, dimension_set, ' ~ cx_dimension_columns() -%}
{%- set sums = [['n_persons', 'bigint']] + cx_sums() -%}
{%- set changes = [
    ['daily', 'metric_date', ''],
    ['daily', add_days('metric_date', 'window_days'), '-'],
    ['replaced', 'next_date', '-'],
    ['replaced', add_days('metric_date', 'window_days'), ''],
] -%}

with

to_compute as (
    {{ rows_to_compute(ref('int_cx__days')) | indent(4) }}
),

days as (
    select * from to_compute
    where window_days > 1
),

-- days before that are in no window to compute
windows as (
    select
        metric,
        window_days,
        {{ add_days('min(metric_date)', '1 - window_days') }} as first_date
    from days
    group by metric, window_days
),

daily as (
    select
        {{ cx_dimension_columns('c') }},
        c.metric,
        c.dimension_set,
        c.metric_date,
        w.window_days,
        {%- for name, type in sums %}
        c.{{ name }}{{ "," if not loop.last }}
        {%- endfor %}
    from {{ ref('int_cx__daily_cells') }} as c
    inner join windows as w
        on
            c.metric = w.metric
            and c.metric_date >= w.first_date
),

replaced as (
    {{ cx_replaced_cells(ref('int_cx__observations'), 'windows') | indent(4) }}
),

changes as (
    {%- for relation, day, sign in changes %}
    select
        {{ keys }},
        window_days,
        {{ day }} as change_date,
        {%- for name, type in sums %}
        {{ sign }}{{ name }} as {{ name }}{{ "," if not loop.last }}
        {%- endfor %}
    from {{ relation }}
    {{ "union all" if not loop.last }}
    {%- endfor %}
),

changed as (
    select
        {{ keys }},
        window_days,
        change_date,
        {%- for name, type in sums %}
        sum({{ name }}) as {{ name }}{{ "," if not loop.last }}
        {%- endfor %}
    from changes
    where change_date <= {{ as_of() }}
    group by {{ keys }}, window_days, change_date
),

summed as (
    select
        {{ keys }},
        window_days,
        change_date,
        lead(change_date) over cells as next_change_date,
        {%- for name, type in sums %}
        cast(sum({{ name }}) over cells as {{ type }}) as {{ name }}{{ "," if not loop.last }}
        {%- endfor %}
    from changed
    window cells as (partition by {{ keys }}, window_days order by change_date)
),

-- a row a day, once the whole window lies in the days the metric is known of
rolled as (
    select
        {{ cx_dimension_columns('s') }},
        s.metric,
        s.dimension_set,
        s.window_days,
        d.metric_date,
        {%- for name, type in sums %}
        s.{{ name }},
        {%- endfor %}
        d.digest
    from summed as s
    inner join days as d
        on
            s.metric = d.metric
            and s.window_days = d.window_days
            and s.change_date <= d.metric_date
            and coalesce(s.next_change_date > d.metric_date, true)
    where s.n_answers > 0 or s.n_left_out > 0
)

select * from rolled
