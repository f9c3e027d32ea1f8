{#- feed, model that knows its first and last day per person, columns of those days -#}
{%- set feeds = [
    ['transactions', 'int_profile__money', 'first_transaction_date', 'last_transaction_date'],
    ['app_events', 'int_profile__app', 'first_app_event_date', 'last_app_event_date'],
    ['call_logs', 'int_profile__service', 'first_call_date', 'last_call_date'],
    ['survey_responses', 'int_profile__experience', 'first_answer_date', 'last_answer_date'],
    ['complaints', 'int_profile__complaints', 'first_complaint_date', 'last_complaint_date'],
] -%}

with

sightings as (
    {%- for feed, model, first_day, last_day in feeds %}
    select
        profile_id,
        '{{ feed }}' as feed,
        {{ first_day }} as first_date,
        {{ last_day }} as last_date
    from {{ ref(model) }}
    {{ "union all" if not loop.last }}
    {%- endfor %}
),

seen as (
    select
        profile_id,
        {{ distinct_list('feed') }} as seen_in_feeds,
        min(first_date) as first_seen_date,
        max(last_date) as last_seen_date
    from sightings
    group by profile_id
)

select * from seen
