with

records as (
    select * from {{ ref('int_identity__records') }}
    where party_type = 'person'
),

account_parties as (
    select * from {{ ref('stg_account_parties') }}
    where role in ('owner', 'joint_owner')
),

shared_accounts as (
    select account_id
    from account_parties
    group by account_id
    having count(distinct party_id) > 1
),

household_keys as (
    select
        party_id,
        'home:' || address_token || ':' || family_name_token as household_key
    from records
    where
        address_token is not null
        and family_name_token is not null
    union
    select
        a.party_id,
        'account:' || a.account_id as household_key
    from account_parties as a
    inner join shared_accounts as s
        on a.account_id = s.account_id
    inner join records as r
        on a.party_id = r.party_id
)

select * from household_keys
