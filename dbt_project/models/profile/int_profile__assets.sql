with

balances as (
    select * from {{ ref('int_balances__by_asset_day') }}
),

accounts as (
    select * from {{ ref('stg_accounts') }}
),

owners as (
    select * from {{ ref('int_accounts__owners') }}
),

holdings as (
    select * from {{ ref('int_profile__holdings') }}
),

asset_days as (
    {{ asset_days() | indent(4) }}
),

assets as (
    select * from {{ ref('product_kinds') }}
    where is_asset
),

rates as (
    select * from {{ ref('int_profile__rates') }}
),

-- an account no master knows keeps its money, as in balance_amount
on_accounts as (
    select
        coalesce(o.profile_id, 'unattributed') as profile_id,
        b.asset_date,
        'account' as part,
        b.balance_amount as amount,
        b.currency
    from balances as b
    left join accounts as a on b.account_id = a.account_id
    left join owners as o on b.account_id = o.account_id
    where
        not coalesce(a.closed_date <= b.asset_date, a.status = 'closed', false)
        and (
            a.account_id is null
            or a.account_type in (select type from assets where relation = 'accounts')
        )
),

-- the feed tells what is held now; on earlier days it was worth the same where it was held
held as (
    select
        h.profile_id,
        d.asset_date,
        h.holding_type as part,
        h.amount,
        h.currency
    from holdings as h
    inner join asset_days as d
        on
            coalesce(h.opened_date <= d.asset_date, true)
            and coalesce(h.closed_date > d.asset_date, not h.is_closed)
    left join accounts as a
        on
            h.account_id = a.account_id
            and h.holding_type = a.account_type
    left join balances as b
        on
            a.account_id = b.account_id
            and d.asset_date = b.asset_date
    where
        h.holding_type in (select type from assets where relation = 'holdings')
        and h.amount is not null
        and b.account_id is null
),

parts as (
    select * from on_accounts
    union all
    select * from held
),

converted as (
    select
        p.profile_id,
        p.asset_date,
        p.part,
        {{ in_reporting_currency('p.amount', 'p.currency', 'r.rate') }} as amount
    from parts as p
    left join rates as r
        on
            p.currency = r.currency
            and p.asset_date = r.rate_date
),

summed as (
    select
        profile_id,
        asset_date,
        {%- for part in ['account', 'deposit', 'investment'] %}
        cast(sum(case when part = '{{ part }}' then amount end) as decimal(18, 2))
            as {{ part }}_amount,
        {%- endfor %}
        cast(sum(amount) as decimal(18, 2)) as aum_amount,
        {{ count_if('amount is null') }} as unconverted_count,
        {{ count_if("part = 'account'") }} as account_count
    from converted
    group by profile_id, asset_date
)

select * from summed
