-- A row returned is a profile whose id is not current in profile_ids, or an id that leads to no
-- profile.
with

profile_ids as (
    select * from {{ ref('profile_ids') }}
),

profiles as (
    select profile_id from {{ ref('customer_profile') }}
),

not_current as (
    select
        profiles.profile_id,
        profile_ids.current_profile_id
    from profiles
    left join profile_ids on profiles.profile_id = profile_ids.profile_id
    where not coalesce(profile_ids.is_current, false)
),

lost as (
    select
        profile_ids.profile_id,
        profile_ids.current_profile_id
    from profile_ids
    left join profiles on profile_ids.current_profile_id = profiles.profile_id
    where profiles.profile_id is null
)

select * from not_current
union all
select * from lost
