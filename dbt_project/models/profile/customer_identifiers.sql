with

identity_map as (
    select * from {{ ref('identity_map') }}
),

-- contacts come from the party master, logins from verified app events
customer_identifiers as (
    select
        profile_id,
        identifier_type,
        identifier,
        valid_from,
        valid_to,
        case
            when identifier_type in ('app_user', 'device') then 'app_events'
            else 'parties'
        end as source
    from identity_map
)

select * from customer_identifiers
