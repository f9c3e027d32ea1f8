with

party_groups as (
    select * from {{ source('identity', 'party_groups') }}
),

members as (
    select
        profile_id,
        count(*) as party_count,
        min(household_id) as household_id
    from party_groups
    group by profile_id
),

people as (
    select
        *,
        count(*) over (partition by household_id) as household_size
    from members
)

select * from people
