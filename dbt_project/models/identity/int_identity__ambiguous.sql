with

contacts as (
    select
        identifier_type,
        identifier,
        valid_from,
        valid_to,
        holder_count,
        reason
    from {{ ref('int_identity__contact_periods') }}
    where profile_id is null
),

logins as (
    select
        identifier_type,
        identifier,
        valid_from,
        valid_to,
        holder_count,
        'several_holders' as reason
    from {{ ref('int_identity__login_periods') }}
    where profile_id is null
),

ambiguous as (
    select * from contacts
    union all
    select * from logins
)

select * from ambiguous
