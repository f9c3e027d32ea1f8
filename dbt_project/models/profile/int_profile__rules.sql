{%- set rules = [
    'rhythm_days_from',
    'adoption_feature_points',
    'adoption_stickiness_points',
    'adoption_channel_points',
    'migration_assisted_days_from',
    'migration_assisted_percent_from',
] -%}

with

rules as (
    {{ in_force('profile_rules', 'rule') | indent(4) }}
),

pivoted as (
    select
        {%- for rule in rules %}
        max(case when rule = '{{ rule }}' then value end) as {{ rule }}
        {{- "," if not loop.last }}
        {%- endfor %}
    from rules
)

select * from pivoted
