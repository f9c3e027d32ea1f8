{{ config(
    materialized='incremental',
    incremental_strategy='run_scope',
    meta={'feed': 'survey_invitations', 'key': 'invitation_id'},
) }}

with

winners as (
    {{ event_winners('survey_invitations', key='invitation_id', moment='delivered_at')
        | indent(4) }}
),

survey_invitations as (
    select
        invitation_id,
        delivered_at,
        party_id,
        contact_token,
        question_id,
        survey_kind,
        channel,
        touchpoint,
        product,
        region,
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

select * from survey_invitations
