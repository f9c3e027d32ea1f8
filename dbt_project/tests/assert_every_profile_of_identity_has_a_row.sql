-- A row returned is a person identity knows and the profile does not, or the other way round.
with

known as (
    select distinct profile_id from {{ ref('identity_map') }}
),

profiles as (
    select * from {{ ref('customer_profile') }}
    where profile_type <> 'unattributed'
)

select
    known.profile_id,
    profiles.profile_id as published_id
from known
full outer join profiles on known.profile_id = profiles.profile_id
where
    known.profile_id is null
    or profiles.profile_id is null
