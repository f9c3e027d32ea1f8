{#-
  A window's sums are those of its days, less what counts in it once though it is in several of them:
  that goes out on the day of the later answer, and comes back when its own expiry takes it out again.
-#}
{%- set keys = 'metric, dimension_set, ' ~ cx_dimension_columns() -%}
{%- set sums = [['n_persons', 'bigint']] + cx_sums() -%}
{%- set changes = [
    ['int_cx__daily_cells', 'metric_date', ''],
    ['int_cx__daily_cells', add_days('metric_date', 'window_days'), '-'],
    ['int_cx__replaced_cells', 'next_date', '-'],
    ['int_cx__replaced_cells', add_days('metric_date', 'window_days'), ''],
] -%}

with

windows as (
    {{ cx_window_rows() | indent(4) }}
),

days as (
    select * from {{ ref('int_cx__days') }}
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
    from {{ ref(relation) }}
    {{ 'cross join windows' if relation == 'int_cx__daily_cells' }}
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
        s.*,
        d.metric_date,
        d.final_date
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
