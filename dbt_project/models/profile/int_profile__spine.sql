with

identity_map as (
    select * from {{ ref('identity_map') }}
),

people as (
    select * from {{ ref('int_profile__people') }}
),

-- the strongest kind of identifier that leads to it
known as (
    select
        profile_id,
        case
            {%- for type in ['party', 'app_user', 'email', 'phone', 'device'] %}
            when bool_or(identifier_type = '{{ type }}') then '{{ type }}'
            {%- endfor %}
        end as identified_by
    from identity_map
    group by profile_id
),

spine as (
    select
        known.profile_id,
        known.identified_by,
        coalesce(people.party_count, 0) as party_count,
        people.household_id,
        people.household_size
    from known
    left join people on known.profile_id = people.profile_id
    union all
    select
        'unattributed' as profile_id,
        cast(null as {{ type_text() }}) as identified_by,
        cast(null as bigint) as party_count,
        cast(null as {{ type_text() }}) as household_id,
        cast(null as bigint) as household_size
)

select * from spine
