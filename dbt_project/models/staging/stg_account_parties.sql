with

snapshot as (
    {{ snapshot_rows('account_parties', key=['account_id', 'party_id']) | indent(4) }}
),

account_parties as (
    select
        account_id,
        party_id,
        role,
        account_party_id,
        source,
        arrival_number
    from snapshot
)

select * from account_parties
