-- A returned row is a feed of which staging does not hold what landing accepted: of events every
-- row but the versions that lost, of masters every key.
{% set events = [
    'transactions',
    'app_events',
    'call_logs',
    'survey_responses',
    'risk_scores',
    'points_entries',
    'survey_invitations',
    'call_legs',
] %}
{% set masters = {
    'parties': ['party_id', 'updated_at'],
    'accounts': ['account_id'],
    'fx_rates': ['rate_date', 'currency', 'quote_currency'],
} %}
with

accepted as (
    select
        feed,
        sum(rows_accepted) as row_count
    from {{ source('raw', 'deliveries') }}
    group by feed
),

lost as (
    select
        feed,
        sum(version_count - 1) as row_count
    from {{ ref('int_events__repeats') }}
    group by feed
),

staged as (
    {% for feed in events %}
    select
        '{{ feed }}' as feed,
        count(*) as row_count
    from {{ ref('stg_' ~ feed) }}
    {{ "union all" if not loop.last }}
    {% endfor %}
),

differing as (
    select
        staged.feed,
        coalesce(accepted.row_count, 0) - coalesce(lost.row_count, 0) - staged.row_count
            as row_count
    from staged
    left join accepted on staged.feed = accepted.feed
    left join lost on staged.feed = lost.feed
    {% for feed, key in masters.items() %}
    union all
    {% set columns = key | join(", ") %}
    select
        '{{ feed }}' as feed,
        count(*) as row_count
    from (
        (
            select {{ columns }} from {{ source('raw', feed) }}
            except
            select {{ columns }} from {{ ref('stg_' ~ feed) }}
        )
        union all
        (
            select {{ columns }} from {{ ref('stg_' ~ feed) }}
            except
            select {{ columns }} from {{ source('raw', feed) }}
        )
    ) as keys
    {% endfor %}
)

select *
from differing
where row_count <> 0
