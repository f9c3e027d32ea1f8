with

party_groups as (
    select * from {{ source('identity', 'party_groups') }}
),

held as (
    select
        g.profile_id,
        e.identifier,
        e.valid_from,
        e.valid_to,
        e.is_verified,
        e.party_id
    from {{ ref('int_identity__evidence') }} as e
    inner join party_groups as g on e.party_id = g.party_id
    where e.identifier_type = 'document'
),

-- records of one person that hold it at once, or one after the other, are one period
marked as (
    select
        *,
        case
            when
                valid_from <= max(valid_to) over (
                    partition by profile_id, identifier
                    order by valid_from, valid_to, party_id
                    rows between unbounded preceding and 1 preceding
                )
                then 0
            else 1
        end as is_start
    from held
),

numbered as (
    select
        *,
        sum(is_start) over (
            partition by profile_id, identifier
            order by valid_from, valid_to, party_id
            rows between unbounded preceding and current row
        ) as period_number
    from marked
),

documents as (
    select
        profile_id,
        identifier,
        min(valid_from) as valid_from,
        max(valid_to) as valid_to,
        bool_or(is_verified) as is_verified
    from numbered
    group by profile_id, identifier, period_number
)

select * from documents
