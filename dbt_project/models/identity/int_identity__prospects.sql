with

subjects as (
    select * from {{ ref('int_identity__subjects') }}
),

blocked as (
    select * from {{ source('raw', 'blocked_identifiers') }}
),

held as (
    select distinct
        identifier_type,
        identifier
    from {{ ref('int_identity__contact_periods') }}
    union all
    select distinct
        identifier_type,
        identifier
    from {{ ref('int_identity__login_periods') }}
),

-- What somebody holds or held is theirs, or open between several; a prospect is what nobody ever
-- did.
prospects as (
    select
        s.identifier_type,
        s.identifier,
        {{ prospect_id('s.identifier') }} as profile_id
    from subjects as s
    left join held as h
        on
            s.identifier_type = h.identifier_type
            and s.identifier = h.identifier
    left join blocked as b
        on
            s.identifier_type = b.identifier_type
            and s.identifier = b.identifier
    where
        h.identifier is null
        and b.identifier is null
)

select * from prospects
