{# feed: key, moment or day, version #}
{% set feeds = {
    'transactions': {'key': 'transaction_id', 'day': 'booked_date', 'version': 'version_number'},
    'app_events': {'key': 'event_id', 'moment': 'occurred_at'},
    'call_logs': {'key': 'call_id', 'moment': 'started_at'},
    'survey_responses': {'key': 'response_id', 'moment': 'responded_at'},
    'risk_scores': {'key': 'score_id', 'moment': 'scored_at'},
    'points_entries': {'key': 'entry_id', 'day': 'booked_date'},
    'survey_invitations': {'key': 'invitation_id', 'moment': 'delivered_at'},
    'call_legs': {'key': 'leg_id', 'moment': 'began_at'},
} %}

with

{% for feed, how in feeds.items() %}
{% set day = how.day or local_date(how.moment) %}
{{ feed }}_keys as (
    select {{ how.key }} as event_key
    from {{ source('raw', feed) }}
    where {{ in_scope(feed, day, how.moment, key=how.key) }}
    group by {{ how.key }}
    having count(*) > 1
),

{% endfor %}

-- few keys come more than once, so only theirs are looked at a second time, and ranked
versions as (
    {% for feed, how in feeds.items() %}
    {% set day = how.day or local_date(how.moment) %}
    select
        '{{ feed }}' as feed,
        {{ how.key }} as event_key,
        arrival_number,
        {{ how.version or 'cast(null as bigint)' }} as version_number,
        row_number() over (
            partition by {{ how.key }}
            order by {{ repeat_order(how.version) }}
        ) as repeat_rank,
        count(*) over (partition by {{ how.key }}) as version_count
    from {{ source('raw', feed) }}
    where
        {{ how.key }} in (select event_key from {{ feed }}_keys)
        and {{ in_scope(feed, day, how.moment) }}
    {{ "union all" if not loop.last }}
    {% endfor %}
),

repeats as (
    select
        feed,
        event_key,
        version_count,
        arrival_number as winner_arrival_number,
        version_number as winner_version_number
    from versions
    where repeat_rank = 1
)

select * from repeats
