-- A row returned is a party whose points left by the day they expire, together, are not the sum of
-- its entries; who owes points has none left.
with

balances as (
    select
        party_id,
        {{ sum_integer('points') }} as balance_count
    from {{ ref('stg_points_entries') }}
    where business_date <= {{ as_of() }}
    group by party_id
),

left_over as (
    select
        party_id,
        {{ sum_integer('left_count') }} as left_count
    from {{ ref('int_points__left') }}
    group by party_id
)

select
    balances.party_id,
    left_over.party_id as left_party_id,
    balances.balance_count,
    left_over.left_count
from balances
full outer join left_over on balances.party_id = left_over.party_id
where
    balances.party_id is null
    or greatest(balances.balance_count, 0) <> coalesce(left_over.left_count, 0)
