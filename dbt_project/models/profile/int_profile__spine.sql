with

identity_map as (
    select * from {{ ref('identity_map') }}
),

spine as (
    select distinct profile_id from identity_map
    union all
    select 'unattributed' as profile_id
)

select * from spine
