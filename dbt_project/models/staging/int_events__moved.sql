{# feed: key, moment or day, version #}
{% set feeds = {
    'transactions': {'key': 'transaction_id', 'day': 'booked_date', 'version': 'version_number'},
    'app_events': {'key': 'event_id', 'moment': 'occurred_at'},
    'call_logs': {'key': 'call_id', 'moment': 'started_at'},
    'survey_responses': {'key': 'response_id', 'moment': 'responded_at'},
    'risk_scores': {'key': 'score_id', 'moment': 'scored_at'},
    'points_entries': {'key': 'entry_id', 'day': 'booked_date'},
    'survey_invitations': {'key': 'invitation_id', 'moment': 'delivered_at'},
} %}

with

{% for feed, how in feeds.items() %}
{{ feed }}_versions as (
    {{ event_versions(feed, how.key, how.moment, how.day, how.version) }}
),

{% endfor %}

versions as (
    {% for feed, how in feeds.items() %}
    select
        '{{ feed }}' as feed,
        {{ how.key }} as event_key,
        business_date,
        repeat_rank
    from {{ feed }}_versions
    {{ "union all" if not loop.last }}
    {% endfor %}
),

moved as (
    select
        feed,
        event_key,
        max(case when repeat_rank = 1 then business_date end) as business_date
    from versions
    group by feed, event_key
    having min(business_date) < max(business_date)
),

-- Where the winner's delivery was withdrawn the key has not moved any more: its day becomes null.
remembered as (
    select * from moved
    {% if is_incremental() %}
    union all
    select
        known.feed,
        known.event_key,
        cast(null as date) as business_date
    from {{ this }} as known
    left join versions
        on
            known.feed = versions.feed
            and known.event_key = versions.event_key
            and known.business_date = versions.business_date
    left join moved
        on
            known.feed = moved.feed
            and known.event_key = moved.event_key
    where
        versions.event_key is null
        and moved.event_key is null
        and (
            {% for feed in feeds %}
            (known.feed = '{{ feed }}' and {{ in_scope(feed, 'known.business_date') }})
            {{ "or" if not loop.last }}
            {% endfor %}
        )
    {% endif %}
)

select * from remembered
