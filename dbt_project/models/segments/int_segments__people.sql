with

relations as (
    select * from {{ ref('int_segments__relations') }}
),

opened as (
    select
        profile_id,
        min(opened_date) as opened_date
    from relations
    group by profile_id
),

-- a record without any day has been there all the time
recorded as (
    select
        g.profile_id,
        min(
            coalesce(
                least({{ local_date('p.updated_at') }}, p.customer_since_date),
                {{ beginning_of_time() }}
            )
        ) as recorded_date
    from {{ ref('stg_parties') }} as p
    inner join {{ source('identity', 'party_groups') }} as g on p.party_id = g.party_id
    where p.valid_from <= {{ as_of() }}
    group by g.profile_id
),

sighted as (
    select
        p.profile_id,
        min(s.first_seen_date) as sighted_date
    from {{ ref('int_identity__prospects') }} as p
    inner join {{ ref('int_identity__subjects') }} as s
        on
            p.identifier_type = s.identifier_type
            and p.identifier = s.identifier
    group by p.profile_id
),

people as (
    select
        s.profile_id,
        least(n.first_seen_date, o.opened_date, r.recorded_date, i.sighted_date)
            as known_from_date
    from {{ ref('int_profile__spine') }} as s
    left join {{ ref('int_profile__seen') }} as n on s.profile_id = n.profile_id
    left join opened as o on s.profile_id = o.profile_id
    left join recorded as r on s.profile_id = r.profile_id
    left join sighted as i on s.profile_id = i.profile_id
    where s.profile_id <> 'unattributed'
)

select * from people
