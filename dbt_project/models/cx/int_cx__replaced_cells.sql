{#-
  What is in several days of a window and counts in it once: answers that a later one of the person to
  the same question takes the place of, and people who answered more than once.
-#}
{%- set keys = 'metric, dimension_set, ' ~ cx_dimension_columns() -%}

with

windows as (
    {{ cx_window_rows() | indent(4) }}
),

observations as (
    select * from {{ ref('int_cx__observations') }}
    where
        is_counted
        and is_answer
),

answers as (
    select
        *,
        lead(metric_date) over (
            partition by metric, unit_key
            order by metric_date
        ) as next_date,
        count(*) over (partition by metric, person_key) as answer_count
    from observations
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
    where next_date is not null
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
inner join windows as w on u.next_date < {{ add_days('u.metric_date', 'w.window_days') }}
