with

active_days as (
    select * from {{ ref('int_segments__active_days') }}
),

-- the month under way first; one that ends with as_of is over
months as (
    {%- for k in range(segment_months() + 1) %}
    select
        {{ month_number("cast('" ~ month_start(k) ~ "' as date)") }} as month_number,
        cast('{{ month_start(k) }}' as date) as month_start,
        {%- if k == 0 %}
        {{ as_of() }} as evaluation_date,
        {{ is_month_over() | lower }} as is_final
        {%- else %}
        cast('{{ day_after(month_start(k - 1), -1) }}' as date) as evaluation_date,
        true as is_final
        {%- endif %}
    {{ "union all" if not loop.last }}
    {%- endfor %}
),

-- before anybody was seen to act nothing can be told
days as (
    select * from months
    where
        evaluation_date >= (select min(business_date) from active_days)
        or evaluation_date = {{ as_of() }}
)

select * from days
