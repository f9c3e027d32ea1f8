with

parties as (
    select * from {{ ref('stg_parties') }}
    where is_current
),

blocked as (
    select * from {{ source('raw', 'blocked_identifiers') }}
),

tokens as (
    select
        party_id,
        party_type,
        {%- for token in record_tokens() %}
        case when {{ is_evidence(token) }} then {{ token }} end as {{ token }},
        {%- endfor %}
        is_birth_date_verified,
        coalesce(document_type, '') || '|' || coalesce(document_issuer, '') as document_kind,
        is_document_verified
        and coalesce(document_valid_until >= {{ as_of() }}, true) as is_document_valid,
        city,
        gender,
        arrival_number
    from parties
),

records as (
    select
        t.party_id,
        t.party_type,
        {%- for part in ['name', 'given_name', 'family_name', 'birth_date'] %}
        t.{{ part }}_token,
        {%- endfor %}
        t.is_birth_date_verified and t.birth_date_token is not null as is_birth_date_verified,
        {%- for type in ['document', 'phone', 'email'] %}
        case when blocked_{{ type }}s.identifier is null then t.{{ type }}_token end
            as {{ type }}_token,
        {%- endfor %}
        t.document_kind,
        t.is_document_valid
        and t.document_token is not null
        and blocked_documents.identifier is null as is_document_valid,
        t.address_token,
        t.postcode_token,
        t.city,
        t.gender,
        t.arrival_number
    from tokens as t
    {%- for type in ['document', 'phone', 'email'] %}
    left join blocked as blocked_{{ type }}s
        on
            blocked_{{ type }}s.identifier_type = '{{ type }}'
            and blocked_{{ type }}s.identifier = t.{{ type }}_token
    {%- endfor %}
)

select * from records
