{#-
  Cells of days, added up, less the answers that a later one of the month takes the place of: so a
  month costs what its cells do, and only answers are looked at one by one.
-#}
{%- set sums = ['n', 'value_sum', 'square_sum', 'promoter_count', 'detractor_count'] -%}
{%- set keys = ['metric', 'month_date'] -%}

with

metrics as (
    select * from {{ ref('cx_metric_registry') }}
    where adds_as = 'mean'
),

rules as (
    select * from {{ ref('int_cx__rules') }}
),

-- closed months whose days are all final, one more than has a move
months as (
    select
        d.metric,
        {{ first_of_month('d.metric_date') }} as month_date
    from {{ ref('int_cx__days') }} as d
    inner join metrics as m on d.metric = m.metric
    cross join rules as r
    where
        d.window_days = 1
        and {{ month_number(add_days(as_of(), 1)) }} - {{ month_number('d.metric_date') }}
        between 1 and r.move_months + 1
    group by d.metric, {{ first_of_month('d.metric_date') }}
    having max(d.final_date) <= {{ as_of() }}
),

answers as (
    select
        *,
        {{ first_of_month('metric_date') }} as month_date,
        lead(metric_date) over (
            partition by metric, question_id, person_key
            order by metric_date
        ) as next_date
    from {{ ref('int_cx__observations') }}
    where
        is_counted
        and is_answer
),

replaced as (
    select
        metric,
        month_date,
        {{ cx_grouped_dimensions(with_pairs=false) | indent(8) }},
        {{- cx_sums_of_observations() | indent(4) }}
    from answers
    where month_date = {{ first_of_month('next_date') }}
    group by {{ cx_grouping_sets(keys, with_pairs=false) | indent(4) }}
),

united as (
    select
        metric,
        {{ first_of_month('metric_date') }} as month_date,
        dimension_set,
        {{ cx_dimension_columns() }},
        {{ sums | join(', ') }}
    from {{ ref('int_cx__daily_cells') }}
    union all
    select
        metric,
        month_date,
        dimension_set,
        {{ cx_dimension_columns() }},
        -{{ sums | join(', -') }}
    from replaced
),

parts as (
    select
        u.metric,
        u.month_date,
        u.dimension_set as dimension,
        case u.dimension_set
            {%- for dimension in cx_dimensions() %}
            when '{{ dimension }}' then u.{{ dimension }}
            {%- endfor %}
            else '(all)'
        end as dimension_value,
        {%- for name, type in cx_sums() if name in sums %}
        cast(sum(u.{{ name }}) as {{ type }}) as {{ name }}{{ "," if not loop.last }}
        {%- endfor %}
    from united as u
    inner join months as m
        on
            u.metric = m.metric
            and u.month_date = m.month_date
    where
        u.dimension_set in (
            {%- for names in cx_dimension_sets(with_pairs=false) %}
            '{{ cx_dimension_set_name(names) }}'{{ "," if not loop.last }}
            {%- endfor %}
        )
    group by u.metric, u.month_date, u.dimension_set, {{ cx_dimension_columns('u') }}
    having sum(u.n) > 0
)

select * from parts
