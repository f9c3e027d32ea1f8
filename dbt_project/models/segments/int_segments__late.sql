{%- set months = [3, 6, 12] -%}
{%- set first_month = "cast('" ~ month_start(12) ~ "' as date)" -%}
with

activity as (
    select
        profile_id,
        {%- for k in months %}
        case when month_start = cast('{{ month_start(k) }}' as date) then active_days else 0 end
        & {{ late_days() }} as active_{{ k }}m_days,
        {%- endfor %}
        case when month_start = {{ first_month }} then app_days else 0 end
        & {{ late_days() }} as app_12m_days,
        late_initiated_amount
    from {{ ref('int_segments__activity') }}
    where month_start in (
        {%- for k in months %}
        cast('{{ month_start(k) }}' as date)
        {{- "," if not loop.last }}
        {%- endfor %}
    )
),

sets as (
    select
        profile_id,
        {%- for k in months %}
        bit_or(active_{{ k }}m_days) as active_{{ k }}m_days,
        {%- endfor %}
        bit_or(app_12m_days) as app_12m_days,
        {{ sum_money('late_initiated_amount') }} as initiated_12m_amount
    from activity
    group by profile_id
),

late as (
    select
        profile_id,
        {%- for k in months %}
        bit_count(active_{{ k }}m_days) as active_day_{{ k }}m_count,
        {%- endfor %}
        bit_count(app_12m_days) as app_day_12m_count,
        initiated_12m_amount,
        case
            when active_12m_days <> 0
                then {{ last_day_in('active_12m_days', first_month) }}
        end as last_active_date
    from sets
)

select * from late
