with

records as (
    select * from {{ ref('int_identity__records') }}
),

evidence as (
    select * from {{ ref('int_identity__evidence') }}
),

-- A document never changes hands: one of any version counts. Of numbers and addresses, those
-- held now.
holdings as (
    select
        identifier_type,
        identifier,
        party_id,
        document_kind
    from evidence
    where
        case
            when identifier_type = 'document' then is_verified
            else valid_to = {{ end_of_time() }}
        end
),

link_keys as (
    select distinct
        h.identifier_type,
        h.identifier,
        case when h.identifier_type = 'document' then h.document_kind else r.name_token end
            as link_key,
        h.party_id
    from holdings as h
    inner join records as r
        on h.party_id = r.party_id
)

select * from link_keys
