with

holdings as (
    select * from {{ ref('stg_holdings') }}
),

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

accounts as (
    select * from {{ ref('stg_accounts') }}
),

owners as (
    select * from {{ ref('int_accounts__owners') }}
),

-- the holder the source names, else the party of the relation, else the owner of the account;
-- what has no opening date of its own is no older than the account behind it
held as (
    select
        h.holding_id,
        h.holding_type,
        h.maturity_date,
        h.closed_date,
        h.status,
        h.amount,
        h.currency,
        coalesce(h.account_id, a.account_id) as account_id,
        coalesce(h.opened_date, c.opened_date) as opened_date,
        coalesce(named.profile_id, related.profile_id, o.profile_id, 'unattributed') as profile_id
    from holdings as h
    left join identity_map as named on h.party_id = named.identifier
    left join account_parties as a on h.account_party_id = a.account_party_id
    left join identity_map as related on a.party_id = related.identifier
    left join accounts as c on coalesce(h.account_id, a.account_id) = c.account_id
    left join owners as o on coalesce(h.account_id, a.account_id) = o.account_id
),

dated as (
    select
        holding_id,
        profile_id,
        holding_type,
        maturity_date,
        opened_date,
        closed_date,
        amount,
        currency,
        account_id,
        status = 'closed' as is_closed,
        {{ is_by_as_of('opened_date') }} as was_opened,
        {{ is_by_as_of('opened_date') }}
        and coalesce(closed_date > {{ as_of() }}, status <> 'closed') as is_held
    from held
)

select * from dated
