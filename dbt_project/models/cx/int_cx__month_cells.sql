{#- name, who counts in n, what one is worth, months until it is final -#}
{%- set metrics = [
    ['active_customer_count', 'is_active', '1', 0],
    ['app_customer_count', 'is_app_user', '1', 0],
    ['assets_amount', 'is_customer = 1', 'coalesce(balance_amount, 0)', 0],
    ['retention_share', 'is_at_risk', 'case when stays then 1 else 0 end', 3],
] -%}
{%- set dimensions = ['segment', 'tier'] -%}

with

months as (
    select
        *,
        {{ month_number('month_start') }} as month_number
    from {{ ref('int_segments__inputs') }}
    where
        is_final
        and is_customer = 1
),

segments as (
    select * from {{ ref('segment_membership') }}
    where scheme = 'rfm'
),

tiers as (
    select * from {{ ref('loyalty_tiers') }}
),

placed as (
    select
        m.month_start,
        m.evaluation_date,
        m.is_customer,
        m.balance_amount,
        m.inactive_days < {{ day_of_month('m.evaluation_date') }} as is_active,
        coalesce(m.app_day_12m_share > 0, false) as is_app_user,
        m.active_day_3m_count > 0 as is_at_risk,
        coalesce(l.active_day_3m_count > 0, false) as stays,
        coalesce(s.segment, '(unknown)') as segment,
        coalesce(t.tier, '(unknown)') as tier
    from months as m
    left join months as l
        on
            m.profile_id = l.profile_id
            and m.month_number + 3 = l.month_number
    left join segments as s
        on
            m.profile_id = s.profile_id
            and m.month_start >= s.from_month
            and coalesce(m.month_start < s.left_date, true)
    left join tiers as t
        on
            m.profile_id = t.profile_id
            and m.month_start = t.month_start
),

sized as (
    select
        month_start,
        evaluation_date as metric_date,
        {{ cx_grouped_dimensions(dimensions) | indent(8) }},
        {%- for name, condition, value, months in metrics %}
        {{ count_if(condition) }} as {{ name }}_n,
        coalesce(sum(case when {{ condition }} then {{ value }} end), 0) as {{ name }}_sum
        {{- "," if not loop.last }}
        {%- endfor %}
    from placed
    group by {{ cx_grouping_sets(['month_start', 'evaluation_date'], dimensions) | indent(4) }}
),

cells as (
    {%- for name, condition, value, months in metrics %}
    select
        '{{ name }}' as metric,
        metric_date,
        {{ add_days(add_months('month_start', months + 1), -1) }} as final_date,
        dimension_set,
        {{ cx_dimension_columns() }},
        {{ name }}_n as n_persons,
        {{ name }}_n as n,
        {{ name }}_n as n_answers,
        cast(0 as bigint) as n_left_out,
        cast({{ name }}_sum as decimal(38, 6)) as value_sum,
        -- of ones and zeros the squares are the same; a total has no interval
        cast({{ name }}_sum as decimal(38, 6)) as square_sum,
        cast(0 as bigint) as promoter_count,
        cast(0 as bigint) as detractor_count,
        cast(0 as bigint) as n_weighted,
        {%- for sum, type in cx_sums()[8:] %}
        cast(0 as {{ type }}) as {{ sum }}{{ "," if not loop.last }}
        {%- endfor %}
    from sized
    where {{ name }}_n > 0
    {{ "union all" if not loop.last }}
    {%- endfor %}
)

select * from cells
