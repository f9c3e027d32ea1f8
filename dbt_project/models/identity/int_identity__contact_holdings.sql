with

party_groups as (
    select * from {{ source('identity', 'party_groups') }}
),

records as (
    select * from {{ ref('int_identity__records') }}
),

on_record as (
    select
        e.identifier_type,
        e.identifier,
        e.party_id,
        e.valid_from,
        e.valid_to
    from {{ ref('int_identity__evidence') }} as e
    where e.identifier_type in ('phone', 'email')
),

-- A fixed line is used by everybody at its holder's address, whoever had it put on record.
at_home as (
    select
        o.identifier_type,
        o.identifier,
        others.party_id,
        o.valid_from,
        o.valid_to
    from on_record as o
    inner join {{ source('identity', 'fixed_lines') }} as f
        on o.identifier = f.identifier
    inner join records
        on o.party_id = records.party_id
    inner join records as others
        on records.address_token = others.address_token
),

held as (
    select * from on_record
    union
    select * from at_home
),

contact_holdings as (
    select
        held.*,
        party_groups.profile_id
    from held
    inner join party_groups
        on held.party_id = party_groups.party_id
)

select * from contact_holdings
