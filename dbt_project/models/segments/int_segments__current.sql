{%- set window_days = profile_rule('activation_window_days') -%}
with

inputs as (
    select * from {{ ref('int_segments__scored') }}
    where month_start = cast('{{ month_start(0) }}' as date)
),

placed as (
    select * from {{ ref('int_segments__placed') }}
),

sized as (
    select * from {{ ref('int_segments__sized') }}
    where month_start = cast('{{ month_start(0) }}' as date)
),

membership as (
    select * from {{ ref('segment_membership') }}
    where
        scheme = 'lifecycle'
        and left_date is null
),

tiers as (
    select * from {{ ref('loyalty_tiers') }}
    where month_start = cast('{{ month_start(0) }}' as date)
),

activity as (
    select * from {{ ref('int_segments__activity') }}
),

waves as (
    select
        wave,
        from_day,
        lead(from_day) over (order by from_day) as until_day
    from ({{ in_force('onboarding_waves') | indent(8) }}) as waves_in_force
),

segments as (
    select
        p.profile_id,
        {%- for scheme in ['lifecycle', 'rfm', 'micro', 'primary'] %}
        max(case when p.scheme = '{{ scheme }}' then s.segment end) as {{ scheme }}_segment
        {{- "," if not loop.last }}
        {%- endfor %}
    from placed as p
    inner join sized as s
        on
            p.rule_scheme = s.scheme
            and p.rule_version = s.rule_version
            and p.priority = s.priority
            and {{ is_in('s.month_bit', 'p.months') }}
    group by p.profile_id
),

-- days of acting within so many days of the first opening, if acts are known since then
activation as (
    select
        i.profile_id,
        coalesce({{ sum_integer(
            'bit_count(a.active_days & '
            ~ days_of_month('a.month_start', 'i.opened_date', add_days('i.opened_date', window_days))
            ~ ')'
        ) }}, 0) >= {{ profile_rule('activation_day_count') }} as is_activated,
        min(i.opened_date) as opened_date
    from inputs as i
    inner join {{ ref('int_segments__days') }} as d
        on
            i.month_start = d.month_start
            and i.opened_date >= d.first_active_date
    left join activity as a on i.profile_id = a.profile_id
    group by i.profile_id
),

current_segments as (
    select
        i.profile_id,
        s.lifecycle_segment as lifecycle_stage,
        m.entered_date as lifecycle_entered_date,
        m.reason as lifecycle_reason,
        i.last_active_date,
        i.active_day_3m_count,
        i.active_change_share as active_day_3m_trend,
        case when s.lifecycle_segment = 'onboarding' then i.tenure_days + 1 end
            as onboarding_day_count,
        case when s.lifecycle_segment = 'onboarding' then w.wave end as onboarding_wave,
        case
            when a.is_activated then true
            when
                {{ add_days('a.opened_date', window_days) }} <= {{ as_of() }}
                then false
        end as is_activated_90d,
        {%- for measure, value in rfm_measures() %}
        i.rfm_{{ measure }}_score as rfm_{{ measure }},
        {%- endfor %}
        i.rfm_recency_score || '-' || i.rfm_frequency_score || '-' || i.rfm_monetary_score
            as rfm_cell,
        s.rfm_segment,
        s.primary_segment,
        s.micro_segment,
        t.tier as loyalty_tier,
        t.movement as loyalty_tier_movement,
        t.next_tier as loyalty_next_tier,
        cast(t.keep_spend_gap_amount as decimal(18, 2)) as loyalty_keep_spend_gap_amount,
        cast(t.next_spend_gap_amount as decimal(18, 2)) as loyalty_next_spend_gap_amount
    from inputs as i
    left join segments as s on i.profile_id = s.profile_id
    left join membership as m on i.profile_id = m.profile_id
    left join tiers as t on i.profile_id = t.profile_id
    left join activation as a on i.profile_id = a.profile_id
    left join waves as w
        on
            i.tenure_days + 1 >= w.from_day
            and coalesce(i.tenure_days + 1 < w.until_day, true)
)

select * from current_segments
