{{ config(
    materialized='incremental',
    incremental_strategy='run_scope',
    meta={'feed': 'survey_responses', 'key': 'response_id'},
) }}

with

winners as (
    {{ event_winners('survey_responses', key='response_id', moment='responded_at') | indent(4) }}
),

survey_responses as (
    select
        response_id,
        responded_at,
        party_id,
        contact_token,
        question_id,
        question_family,
        survey_kind,
        scale_min,
        scale_max,
        is_high_good,
        score,
        channel,
        product,
        region,
        call_id,
        invitation_id,
        touchpoint,
        business_date,
        case
            when party_id is not null then 'party'
            else {{ contact_type('contact_token') }}
        end as subject_type,
        case
            when party_id is not null then party_id
            when {{ contact_type('contact_token') }} is not null then contact_token
        end as subject,
        source,
        arrival_number
    from winners
)

select * from survey_responses
