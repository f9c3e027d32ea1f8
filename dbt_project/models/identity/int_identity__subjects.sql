with

-- Everything that stood for somebody on an event by as_of; a party key is not among them, for the
-- masters say who that is.
seen as (
    select
        'app_events' as feed,
        subject_type as identifier_type,
        subject as identifier,
        business_date,
        event_count
    from {{ ref('int_app_events__daily') }}
    union all
    select
        'call_logs' as feed,
        subject_type as identifier_type,
        subject as identifier,
        business_date,
        1 as event_count
    from {{ ref('stg_call_logs') }}
    union all
    select
        'survey_responses' as feed,
        subject_type as identifier_type,
        subject as identifier,
        business_date,
        1 as event_count
    from {{ ref('stg_survey_responses') }}
    union all
    select
        'complaints' as feed,
        subject_type as identifier_type,
        subject as identifier,
        {{ local_date('received_at') }} as business_date,
        1 as event_count
    from {{ ref('stg_complaints') }}
),

subjects as (
    select
        identifier_type,
        identifier,
        min(business_date) as first_seen_date,
        max(business_date) as last_seen_date,
        {{ sum_integer('event_count') }} as event_count,
        {{ distinct_list('feed') }} as feeds
    from seen
    where
        identifier_type <> 'party'
        and business_date <= {{ as_of() }}
    group by identifier_type, identifier
)

select * from subjects
