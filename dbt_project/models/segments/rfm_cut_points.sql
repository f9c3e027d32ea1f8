with

-- cut points of a month come from the whole month before it
active as (
    select
        {{ month_number('month_start') }} + 1 as month_number,
        evaluation_date as measured_date,
        {%- for measure, value in rfm_measures() %}
        cast({{ value }} as decimal(38, 2)) as {{ measure }}
        {{- "," if not loop.last }}
        {%- endfor %}
    from {{ ref('int_segments__inputs') }}
    where
        is_final
        and {{ is_rfm_scored() }}
),

days as (
    select * from {{ ref('int_segments__days') }}
),

-- the value that a fifth, two fifths … of the customers do not exceed
cut as (
    {%- for measure, value in rfm_measures() %}
    select
        month_number,
        '{{ measure }}' as measure,
        min(measured_date) as measured_date,
        count(*) as customer_count,
        {%- for k in range(1, 5) %}
        {{ least_value_of_share(measure, k, 5) }} as upper_bound_{{ k }}
        {{- "," if not loop.last }}
        {%- endfor %}
    from active
    group by month_number
    {{ "union all" if not loop.last }}
    {%- endfor %}
),

rfm_cut_points as (
    select
        d.month_start,
        c.measure,
        c.measured_date,
        c.customer_count,
        {%- for k in range(1, 5) %}
        c.upper_bound_{{ k }},
        {%- endfor %}
        c.upper_bound_1 = c.upper_bound_2
        or c.upper_bound_2 = c.upper_bound_3
        or c.upper_bound_3 = c.upper_bound_4 as has_empty_scores
    from cut as c
    inner join days as d on c.month_number = d.month_number
)

select * from rfm_cut_points
