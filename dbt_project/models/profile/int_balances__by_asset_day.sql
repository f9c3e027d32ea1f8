with

balances as (
    select * from {{ ref('int_balances__by_month') }}
),

asset_days as (
    {{ asset_days() | indent(4) }}
),

-- each balance up to the next of those days; the last one there stands for all of them
placed as (
    select
        *,
        case
            {%- for day in asset_day_list() %}
            when balance_date <= cast('{{ day }}' as date) then cast('{{ day }}' as date)
            {%- endfor %}
        end as asset_date
    from balances
),

last_ones as (
    select
        account_id,
        asset_date,
        max_by(balance_amount, balance_date) as balance_amount,
        max_by(currency, balance_date) as currency
    from placed
    group by account_id, asset_date
),

periods as (
    select
        *,
        lead(asset_date) over (partition by account_id order by asset_date) as next_date
    from last_ones
),

-- a balance stays until a booking changes it
carried as (
    select
        p.account_id,
        d.asset_date,
        p.currency,
        p.balance_amount
    from periods as p
    inner join asset_days as d
        on
            p.asset_date <= d.asset_date
            and coalesce(p.next_date > d.asset_date, true)
)

select * from carried
