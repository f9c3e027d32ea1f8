with

snapshot as (
    {{ snapshot_rows('holdings', key=['holding_id']) | indent(4) }}
),

holdings as (
    select
        holding_id,
        holding_type,
        product_code,
        party_id,
        account_id,
        account_party_id,
        opened_date,
        maturity_date,
        closed_date,
        amount,
        currency,
        status,
        source,
        arrival_number
    from snapshot
)

select * from holdings
