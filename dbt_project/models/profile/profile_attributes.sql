{#- the one place that decides where party records of a person disagree (seed survivorship) -#}
with

parties as (
    select
        party_id,
        source,
        updated_at,
        {{- told_attributes() }}
    from {{ ref('stg_parties') }}
    where is_current
),

records as (
    select
        g.profile_id,
        p.*,
        h.party_count > 1 as is_contested
    from parties as p
    inner join {{ source('identity', 'party_groups') }} as g on p.party_id = g.party_id
    inner join {{ ref('int_profile__people') }} as h on g.profile_id = h.profile_id
),

{{ survivors(['profile_id']) }}

select * from decided_attributes
