with

parties as (
    select
        'party' as identifier_type,
        party_id as identifier,
        {{ beginning_of_time() }} as valid_from,
        {{ end_of_time() }} as valid_to,
        profile_id
    from {{ source('identity', 'party_groups') }}
),

logins as (
    select
        identifier_type,
        identifier,
        {{ beginning_of_time() }} as valid_from,
        {{ end_of_time() }} as valid_to,
        profile_id
    from {{ ref('int_identity__login_holders') }}
    where holder_count = 1
),

contacts as (
    select
        identifier_type,
        identifier,
        valid_from,
        valid_to,
        profile_id
    from {{ ref('int_identity__contact_periods') }}
    where profile_id is not null
),

identity_map as (
    select * from parties
    union all
    select * from logins
    union all
    select * from contacts
)

select * from identity_map
