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
    'call_legs': 'stg_call_legs',
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
accepted as (
    select
        feed,
        {{ sum_integer('rows_accepted') }} as accepted_count
    from {{ source('raw', 'deliveries') }}
    group by feed
),

staged as (
    {%- for feed, table in feeds.items() %}
    select
        '{{ feed }}' as feed,
        count(*) as staged_count
    from {{ ref(table) }}
    union all
    {%- endfor %}
    {%- for feed in changes %}
    select
        '{{ feed }}' as feed,
        count(*) as staged_count
    from {{ feed }}
    {{ "union all" if not loop.last }}
    {%- endfor %}
),

repeats as (
    select
        staged.feed,
        coalesce(accepted.accepted_count, 0) as accepted_count,
        staged.staged_count,
        coalesce(accepted.accepted_count, 0) - staged.staged_count as repeated_count
    from staged
    left join accepted on staged.feed = accepted.feed
)

select * from repeats
