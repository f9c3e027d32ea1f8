with

person_days as (
    select distinct
        profile_id,
        business_date
    from {{ ref('int_cx__calls') }}
    union
    select distinct
        profile_id,
        business_date
    from {{ ref('int_cx__answers') }}
    union
    select distinct
        profile_id,
        business_date
    from {{ ref('int_cx__complaints') }}
),

parties as (
    select * from {{ ref('stg_parties') }}
    where region is not null
),

identity_map as (
    select * from {{ ref('identity_map') }}
    where identifier_type = 'party'
),

-- the versions valid on that day, so that who moves does not rewrite last month
ranked as (
    select
        d.profile_id,
        d.business_date,
        p.region,
        row_number() over (
            partition by d.profile_id, d.business_date
            order by p.valid_from desc, p.party_id
        ) as preference
    from person_days as d
    inner join identity_map as i
        on
            d.profile_id = i.profile_id
            and d.business_date >= i.valid_from
            and d.business_date < i.valid_to
    inner join parties as p
        on
            i.identifier = p.party_id
            and d.business_date >= p.valid_from
            and d.business_date < coalesce(p.valid_to, {{ end_of_time() }})
)

select
    profile_id,
    business_date,
    region
from ranked
where preference = 1
