with

activity as (
    select * from {{ ref('int_segments__activity') }}
),

-- the month under way first; one that ends with as_of is over
months as (
    {%- for k in range(segment_months() + 1) %}
    select
        {{ month_number("cast('" ~ month_start(k) ~ "' as date)") }} as month_number,
        cast('{{ month_start(k) }}' as date) as month_start,
        {{ month_bit(k) }} as month_bit,
        {{ evaluation_day(k) }} as evaluation_date,
        {{ "true" if k > 0 else is_month_over() | lower }} as is_final
    {{ "union all" if not loop.last }}
    {%- endfor %}
),

observed as (
    select min({{ first_day_in('active_days', 'month_start') }}) as first_active_date
    from activity
),

-- before anybody was seen to act nothing can be told
days as (
    select
        m.*,
        o.first_active_date
    from months as m
    cross join observed as o
    where
        m.evaluation_date >= o.first_active_date
        or m.evaluation_date = {{ as_of() }}
)

select * from days
