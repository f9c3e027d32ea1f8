-- A returned row is a feed whose keys in the lake are not the keys in staging. Of events the days
-- in scope are compared: a key there is in staging on one of them, or remembered as moved away.
{% set events = {
    'transactions': {'key': 'transaction_id', 'day': 'booked_date'},
    'app_events': {'key': 'event_id', 'moment': 'occurred_at'},
    'call_logs': {'key': 'call_id', 'moment': 'started_at'},
    'survey_responses': {'key': 'response_id', 'moment': 'responded_at'},
    'risk_scores': {'key': 'score_id', 'moment': 'scored_at'},
    'points_entries': {'key': 'entry_id', 'day': 'booked_date'},
    'survey_invitations': {'key': 'invitation_id', 'moment': 'delivered_at'},
} %}
{% set masters = {
    'parties': ['party_id', 'updated_at'],
    'accounts': ['account_id'],
    'fx_rates': ['rate_date', 'currency', 'quote_currency'],
} %}
with

{% for feed, how in events.items() %}
{% set day = how.day or local_date(how.moment) %}
{{ feed }}_keys as (
    select distinct {{ how.key }} as event_key
    from {{ source('raw', feed) }}
    where {{ in_scope(feed, day, how.moment, everything=flags.FULL_REFRESH) }}
),

{{ feed }}_staged as (
    select {{ how.key }} as event_key
    from {{ ref('stg_' ~ feed) }}
    where {{ in_scope(feed, 'business_date', everything=flags.FULL_REFRESH) }}
    union all
    select event_key
    from {{ ref('int_events__moved') }}
    where
        feed = '{{ feed }}'
        and business_date is not null
        and event_key in (select event_key from {{ feed }}_keys)
        and not ({{ in_scope(feed, 'business_date', everything=flags.FULL_REFRESH) }})
),

{% endfor %}

differing as (
    {% for feed in events %}
    select
        '{{ feed }}' as feed,
        count(*) as key_count
    from {{ feed }}_keys as lake
    full outer join {{ feed }}_staged as staged on lake.event_key = staged.event_key
    where
        lake.event_key is null
        or staged.event_key is null
    union all
    {% endfor %}
    {% for feed, key in masters.items() %}
    {% set columns = key | join(", ") %}
    select
        '{{ feed }}' as feed,
        count(*) as key_count
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
    {{ "union all" if not loop.last }}
    {% endfor %}
)

select *
from differing
where key_count > 0
