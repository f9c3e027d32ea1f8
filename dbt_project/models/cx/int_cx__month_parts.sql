{%- set dimensions = cx_dimensions() -%}

with

units as (
    select
        *,
        {{ first_of_month('metric_date') }} as month_date
    from {{ ref('int_cx__units') }}
),

rules as (
    select * from {{ ref('int_cx__rules') }}
),

-- closed months, one more than has a move
kept as (
    select u.*
    from units as u
    cross join rules as r
    where
        {{ month_number(add_days(as_of(), 1)) }} - {{ month_number('u.metric_date') }}
        between 1 and r.move_months + 1
),

ranked as (
    select
        *,
        row_number() over (
            partition by metric, month_date, person_key, question_id
            order by responded_at desc, observation_id desc
        ) as preference,
        max(final_date) over (partition by metric, month_date) as month_final_date
    from kept
),

parts as (
    select
        metric,
        month_date,
        case
            {%- for dimension in dimensions %}
            when grouping({{ dimension }}) = 0 then '{{ dimension }}'
            {%- endfor %}
            else 'total'
        end as dimension,
        case
            {%- for dimension in dimensions %}
            when grouping({{ dimension }}) = 0 then {{ dimension }}
            {%- endfor %}
            else '(all)'
        end as dimension_value,
        count(*) as n,
        cast(sum(value) as decimal(38, 6)) as value_sum,
        cast(sum({{ cx_square('value') }}) as decimal(38, 6)) as square_sum,
        {{ count_if("nps_class = 'promoter'") }} as promoter_count,
        {{ count_if("nps_class = 'detractor'") }} as detractor_count
    from ranked
    where
        preference = 1
        and month_final_date <= {{ as_of() }}
    group by grouping sets (
        (metric, month_date),
        {%- for dimension in dimensions %}
        (metric, month_date, {{ dimension }}){{ "," if not loop.last }}
        {%- endfor %}
    )
)

select * from parts
