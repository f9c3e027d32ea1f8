with

parties as (
    select
        party_id,
        party_type,
        case when {{ is_evidence('name_token') }} then name_token end as name_token,
        case
            when {{ is_evidence('birth_date_token') }} then birth_date_token
        end as birth_date_token,
        case
            when {{ is_evidence('document_token') }} then document_token
        end as document_token
    from {{ ref('stg_parties') }}
    where is_current
),

limits as (
    select * from {{ ref('identifier_limits') }}
),

held as (
    select
        evidence.identifier_type,
        evidence.identifier,
        parties.*
    from {{ ref('int_identity__evidence') }} as evidence
    inner join parties
        on evidence.party_id = parties.party_id
    where evidence.valid_to = {{ end_of_time() }}
),

-- Persons are counted by document where there is one, so that duplicates of one person do not
-- use up the limit.
holders as (
    select
        identifier_type,
        identifier,
        count(distinct case
            when identifier_type = 'document' then party_id
            else coalesce(document_token, party_id)
        end) as holder_count
    from held
    group by identifier_type, identifier
    having count(distinct party_id) > 1
),

shared as (
    select
        holders.identifier_type,
        holders.identifier
    from holders
    inner join limits
        on holders.identifier_type = limits.identifier_type
    where holders.holder_count <= limits.max_holders
),

usable as (
    select held.*
    from held
    inner join shared
        on
            held.identifier_type = shared.identifier_type
            and held.identifier = shared.identifier
),

party_links as (
    select
        a.party_id as party_id_a,
        b.party_id as party_id_b,
        case
            when a.identifier_type = 'document' then 'document'
            else a.identifier_type || '_name'
        end as rule
    from usable as a
    inner join usable as b
        on
            a.identifier_type = b.identifier_type
            and a.identifier = b.identifier
            and a.party_type = b.party_type
            and a.party_id < b.party_id
    where
        (a.identifier_type = 'document' or a.name_token = b.name_token)
        and coalesce(a.birth_date_token = b.birth_date_token, true)
)

select * from party_links
