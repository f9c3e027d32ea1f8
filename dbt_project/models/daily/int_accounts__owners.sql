with

account_parties as (
    select
        account_parties.account_id,
        account_parties.party_id,
        party_groups.profile_id
    from {{ ref('stg_account_parties') }} as account_parties
    inner join {{ source('identity', 'party_groups') }} as party_groups
        on account_parties.party_id = party_groups.party_id
    where account_parties.role = 'owner'
),

ranked as (
    select
        *,
        row_number() over (partition by account_id order by party_id) as owner_rank
    from account_parties
),

owners as (
    select
        account_id,
        party_id,
        profile_id
    from ranked
    where owner_rank = 1
)

select * from owners
