with

account_parties as (
    select * from {{ ref('stg_account_parties') }}
),

identity_map as (
    select * from {{ ref('identity_map') }}
    where
        identifier_type = 'party'
        and valid_from <= {{ as_of() }}
        and valid_to > {{ as_of() }}
),

owners as (
    select * from {{ ref('int_accounts__owners') }}
),

-- one row per person and account, whatever number of party records stand behind it
people as (
    select
        i.profile_id,
        a.account_id,
        bool_or(a.role in ('owner', 'joint_owner')) as is_owner
    from account_parties as a
    inner join identity_map as i on a.party_id = i.identifier
    group by i.profile_id, a.account_id
),

holders as (
    select
        p.profile_id,
        p.account_id,
        case
            when p.profile_id = o.profile_id then 'primary'
            when p.is_owner then 'joint'
            else 'user'
        end as part
    from people as p
    left join owners as o on p.account_id = o.account_id
)

select * from holders
