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
    'fx_rates': 'stg_fx_rates',
} -%}

with

-- complaints received after as_of are not staged, and are no repeats
complaints as (
    select distinct complaint_id from {{ source('raw', 'complaints') }}
),

counts as (
    {%- for feed, staged in feeds.items() %}
    select
        '{{ feed }}' as feed,
        (select count(*) from {{ source('raw', feed) }}) as accepted_count,
        (select count(*) from {{ ref(staged) }}) as staged_count
    union all
    {%- endfor %}
    select
        'complaints' as feed,
        (select count(*) from {{ source('raw', 'complaints') }}) as accepted_count,
        (select count(*) from complaints) as staged_count
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
