{#- feed, its rows, the day of one, and how many events it is -#}
{%- set feeds = [
    ['app_events', 'int_app_events__daily', 'business_date', 'sum(event_count)'],
    ['call_logs', 'stg_call_logs', 'business_date', 'count(*)'],
    ['survey_responses', 'stg_survey_responses', 'business_date', 'count(*)'],
    ['complaints', 'stg_complaints', local_date('received_at'), 'count(*)'],
] -%}

with

-- Everything that stood for somebody on an event by as_of; a party key is not among them, for the
-- masters say who that is.
seen as (
    {%- for feed, relation, day, event_count in feeds %}
    select
        '{{ feed }}' as feed,
        subject_type as identifier_type,
        subject as identifier,
        min({{ day }}) as first_seen_date,
        max({{ day }}) as last_seen_date,
        {{ event_count }} as event_count
    from {{ ref(relation) }}
    where
        subject_type <> 'party'
        and {{ day }} <= {{ as_of() }}
    group by subject_type, subject
    {{ "union all" if not loop.last }}
    {%- endfor %}
),

subjects as (
    select
        identifier_type,
        identifier,
        min(first_seen_date) as first_seen_date,
        max(last_seen_date) as last_seen_date,
        {{ sum_integer('event_count') }} as event_count,
        {{ distinct_list('feed') }} as feeds
    from seen
    group by identifier_type, identifier
)

select * from subjects
