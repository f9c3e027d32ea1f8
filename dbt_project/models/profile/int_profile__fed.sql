{#- a feed that never came leaves nulls, not zeros -#}
{%- set feeds = [
    'accounts',
    'account_parties',
    'holdings',
    'transactions',
    'app_events',
    'call_logs',
    'survey_responses',
    'complaints',
    'risk_scores',
    'outreach',
    'points_entries',
] -%}

with

deliveries as (
    select * from {{ source('raw', 'deliveries') }}
),

fed as (
    select
        {%- for feed in feeds %}
        count(case when feed = '{{ feed }}' then 1 end) > 0 as has_{{ feed }}
        {{- "," if not loop.last }}
        {%- endfor %}
    from deliveries
)

select * from fed
