with

party_groups as (
    select * from {{ source('identity', 'party_groups') }}
),

subjects as (
    select * from {{ ref('int_identity__subjects') }}
),

identity_map as (
    select * from {{ ref('identity_map') }}
    where valid_from = {{ beginning_of_time() }}
),

-- the id an identifier has, had, or would have while it is nobody's; who held it first was meant
of_identifiers as (
    select
        {{ prospect_id('s.identifier') }} as profile_id,
        coalesce(i.profile_id, 'unattributed') as current_profile_id
    from subjects as s
    left join identity_map as i
        on
            s.identifier_type = i.identifier_type
            and s.identifier = i.identifier
),

ids as (
    select
        own_profile_id as profile_id,
        profile_id as current_profile_id
    from party_groups
    union all
    select * from of_identifiers
    union all
    select
        'unattributed' as profile_id,
        'unattributed' as current_profile_id
),

profile_ids as (
    select
        profile_id,
        current_profile_id,
        profile_id = current_profile_id as is_current
    from ids
)

select * from profile_ids
