{#
  What is in several days of a window and counts in it once: answers that a later one of the person
  to the same question takes the place of, and people who answered more than once. It goes out on
  next_date. Two rows at most per metric, window_days, metric_date, next_date and cell: answers in
  one, people in the other. windows has a row per metric and window_days, with its first_date.
#}
{% macro cx_replaced_cells(observations, windows) -%}
{%- set keys = 'metric, dimension_set, ' ~ cx_dimension_columns() -%}
with

first_dates as (
    select
        metric,
        min(first_date) as first_date,
        max(window_days) as window_days
    from {{ windows }}
    group by metric
),

answers as (
    select
        o.*,
        f.window_days,
        lead(o.metric_date) over (
            partition by o.metric, o.question_id, o.person_key
            order by o.metric_date
        ) as next_date,
        count(*) over (partition by o.metric, o.person_key) as answer_count
    from {{ observations }} as o
    inner join first_dates as f
        on
            o.metric = f.metric
            and o.metric_date >= f.first_date
    where
        o.is_counted
        and o.is_answer
),

-- of each cell, what goes out when the next answer comes
replaced as (
    select
        metric,
        metric_date,
        next_date,
        {{ cx_grouped_dimensions() | indent(8) }},
        cast(0 as bigint) as n_persons,
        {{- cx_sums_of_observations() | indent(4) }}
    from answers
    where next_date < {{ add_days('metric_date', 'window_days') }}
    group by {{ cx_grouping_sets(['metric', 'metric_date', 'next_date']) | indent(4) }}
),

person_days as (
    select
        metric,
        metric_date,
        person_key,
        {{ cx_grouped_dimensions() | indent(8) }}
    from answers
    where answer_count > 1
    group by {{ cx_grouping_sets(['metric', 'metric_date', 'person_key']) | indent(4) }}
),

seen_again as (
    select
        *,
        lead(metric_date) over (
            partition by person_key, {{ keys }}
            order by metric_date
        ) as next_date
    from person_days
),

people as (
    select
        metric_date,
        next_date,
        {{ keys }},
        count(*) as n_persons
    from seen_again
    where next_date is not null
    group by metric_date, next_date, {{ keys }}
),

united as (
    select
        metric_date,
        next_date,
        {{ keys }},
        n_persons,
        {%- for name, type in cx_sums() %}
        {{ 'cast(0 as bigint) as n_answers' if name == 'n_answers' else name }}
        {{- "," if not loop.last }}
        {%- endfor %}
    from replaced
    union all
    select
        metric_date,
        next_date,
        {{ keys }},
        n_persons,
        {%- for name, type in cx_sums() %}
        cast(0 as {{ type }}) as {{ name }}{{ "," if not loop.last }}
        {%- endfor %}
    from people
)

select
    u.*,
    w.window_days
from united as u
inner join {{ windows }} as w
    on
        u.metric = w.metric
        and u.metric_date >= w.first_date
        and u.next_date < {{ add_days('u.metric_date', 'w.window_days') }}
{%- endmacro %}
