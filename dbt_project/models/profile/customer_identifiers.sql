with

identity_map as (
    select * from {{ ref('identity_map') }}
),

documents as (
    select * from {{ ref('int_profile__documents') }}
),

people as (
    select * from {{ ref('int_profile__people') }}
),

prospects as (
    select
        p.identifier_type,
        p.identifier,
        s.feeds
    from {{ ref('int_identity__prospects') }} as p
    inner join {{ ref('int_identity__subjects') }} as s
        on
            p.identifier_type = s.identifier_type
            and p.identifier = s.identifier
),

-- the bank's own key and logins it verified are proof of whose they are; numbers are what a
-- record says
mapped as (
    select
        i.profile_id,
        i.identifier_type,
        i.identifier,
        i.valid_from,
        i.valid_to,
        i.identifier_type in ('party', 'app_user', 'device')
        and people.profile_id is not null as is_verified,
        case
            when prospects.identifier is not null then prospects.feeds
            when i.identifier_type in ('app_user', 'device') then 'app_events'
            else 'parties'
        end as source
    from identity_map as i
    left join people on i.profile_id = people.profile_id
    left join prospects
        on
            i.identifier_type = prospects.identifier_type
            and i.identifier = prospects.identifier
),

identifiers as (
    select * from mapped
    union all
    select
        profile_id,
        'document' as identifier_type,
        identifier,
        valid_from,
        valid_to,
        is_verified,
        'parties' as source
    from documents
),

sightings as (
    select * from {{ ref('int_profile__sightings') }}
),

customer_identifiers as (
    select
        i.*,
        s.first_seen_date,
        s.last_seen_date,
        s.event_count
    from identifiers as i
    left join sightings as s
        on
            i.identifier_type = s.identifier_type
            and i.identifier = s.identifier
)

select * from customer_identifiers
