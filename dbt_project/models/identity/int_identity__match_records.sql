{% set tokens = [
    'name', 'given_name', 'family_name', 'birth_date', 'document', 'phone', 'email', 'address',
    'postcode',
] %}

with

parties as (
    select *
    from {{ ref('stg_parties') }}
    where is_current
),

match_records as (
    select
        party_id,
        party_type,
        {% for token in tokens -%}
        case
            when {{ is_evidence(token ~ '_token') }} then {{ token }}_token
        end as {{ token }}_token,
        {% endfor -%}
        is_document_verified,
        is_birth_date_verified,
        city,
        gender,
        arrival_number
    from parties
)

select * from match_records
