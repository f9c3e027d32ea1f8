{%- set rules = [
    'nps_promoter_from',
    'nps_detractor_to',
    'csat_top_points',
    'csat_reference_min',
    'csat_reference_max',
    'negative_points',
    'fcr_window_hours',
    'short_abandon_seconds',
    'timeline_window_days',
    'service_level_seconds',
    'reopen_window_days',
    'response_window_days',
    'reliable_from_n',
    'identifying_below_n',
    'weight_cell_from_n',
    'weight_cap',
    'move_months',
    'move_minimum_n',
    'driver_quarters',
    'alert_budget_days',
] -%}

with

rules as (
    select * from {{ ref('cx_rules') }}
),

pivoted as (
    select
        {%- for rule in rules %}
        cast(max(case when rule = '{{ rule }}' then value end) as int) as {{ rule }}
        {{- "," if not loop.last }}
        {%- endfor %}
    from rules
)

select * from pivoted
