with

calls as (
    select
        'call_logs' as feed,
        call_id as record_key,
        arrival_number,
        cast(null as {{ type_instant() }}) as version_at,
        business_date,
        'phone' as channel,
        subject_type,
        subject
    from {{ ref('stg_call_logs') }}
),

answers as (
    select
        'survey_responses' as feed,
        response_id as record_key,
        arrival_number,
        cast(null as {{ type_instant() }}) as version_at,
        business_date,
        channel,
        subject_type,
        subject
    from {{ ref('stg_survey_responses') }}
),

complaints as (
    select
        'complaints' as feed,
        complaint_id as record_key,
        arrival_number,
        updated_at as version_at,
        received_date as business_date,
        channel,
        subject_type,
        subject
    from {{ ref('stg_complaints') }}
),

records as (
    select * from calls
    union all
    select * from answers
    union all
    select * from complaints
),

known as (
    select * from records
    where business_date <= {{ as_of() }}
),

resolved as (
    {{ with_profile('known') | indent(4) }}
)

select * from resolved
