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
        {{ beginning_of_time() }} as valid_from,
        {{ end_of_time() }} as valid_to,
        holder_count,
        'several_holders' as reason
    from {{ ref('int_identity__login_holders') }}
    where holder_count > 1
),

ambiguous as (
    select * from contacts
    union all
    select * from logins
)

select * from ambiguous
