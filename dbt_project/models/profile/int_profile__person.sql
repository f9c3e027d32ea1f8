with

spine as (
    select * from {{ ref('int_profile__spine') }}
),

attributes as (
    select * from {{ ref('int_profile__attributes') }}
),

relationship as (
    select * from {{ ref('int_profile__relationship') }}
),

seen as (
    select * from {{ ref('int_profile__seen') }}
),

person as (
    select
        spine.*,
        case
            when spine.profile_id = 'unattributed' then 'unattributed'
            when relationship.is_customer then 'customer'
            else 'prospect'
        end as profile_type,
        attributes.party_type = 'organisation' as is_organisation,
        attributes.status as party_status,
        attributes.gender,
        attributes.birth_year,
        attributes.city,
        attributes.region,
        attributes.branch_id,
        attributes.has_marketing_consent,
        attributes.customer_since_date,
        -- nobody is congratulated on what has ended
        case
            when attributes.status = 'active'
                then {{ next_anniversary('attributes.customer_since_date') | indent(16) }}
        end as next_anniversary_date,
        seen.seen_in_feeds,
        seen.first_seen_date,
        seen.last_seen_date
    from spine
    left join attributes on spine.profile_id = attributes.profile_id
    left join relationship on spine.profile_id = relationship.profile_id
    left join seen on spine.profile_id = seen.profile_id
)

select * from person
