{#- feed: what its staging table keeps one row of -#}
{%- set feeds = {
    'parties': 'stg_parties',
    'accounts': 'stg_accounts',
    'account_parties': 'stg_account_parties',
    'holdings': 'stg_holdings',
    'transactions': 'stg_transactions',
    'app_events': 'stg_app_events',
    'call_logs': 'stg_call_logs',
    'survey_responses': 'stg_survey_responses',
    'risk_scores': 'stg_risk_scores',
    'points_entries': 'stg_points_entries',
    'survey_invitations': 'stg_survey_invitations',
    'fx_rates': 'stg_fx_rates',
} -%}

{#- feed of changes: its key -#}
{%- set changes = {
    'complaints': 'complaint_id',
    'outreach': 'outreach_id',
} -%}

with

{% for feed, key in changes.items() -%}
-- what came up after as_of is not staged, and is no repeat
{{ feed }} as (
    select distinct {{ key }} from {{ source('raw', feed) }}
),

{% endfor %}
counts as (
    {%- for feed, staged in feeds.items() %}
    select
        '{{ feed }}' as feed,
        (select count(*) from {{ source('raw', feed) }}) as accepted_count,
        (select count(*) from {{ ref(staged) }}) as staged_count
    union all
    {%- endfor %}
    {%- for feed in changes %}
    select
        '{{ feed }}' as feed,
        (select count(*) from {{ source('raw', feed) }}) as accepted_count,
        (select count(*) from {{ feed }}) as staged_count
    {{ "union all" if not loop.last }}
    {%- endfor %}
),

repeats as (
    select
        feed,
        accepted_count,
        staged_count,
        accepted_count - staged_count as repeated_count
    from counts
)

select * from repeats
