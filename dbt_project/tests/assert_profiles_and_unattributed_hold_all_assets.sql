-- A row returned is a kind of asset whose amounts in profiles and the unattributed row are not all
-- that balances and holdings tell, or a number of them without a rate that differs.
with

last_balances as (
    select
        account_id,
        max_by(balance_amount, business_date) as balance_amount,
        max_by(currency, business_date) as currency
    from {{ ref('int_balances__daily') }}
    where business_date <= {{ as_of() }}
    group by account_id
),

accounts as (
    select * from {{ ref('stg_accounts') }}
),

kinds as (
    select * from {{ ref('product_kinds') }}
),

rates as (
    select * from {{ ref('int_profile__rates') }}
    where rate_date = {{ as_of() }}
),

on_accounts as (
    select
        'balances' as part,
        balances.currency,
        balances.balance_amount as amount
    from last_balances as balances
    left join accounts on balances.account_id = accounts.account_id
    left join kinds
        on
            kinds.relation = 'accounts'
            and accounts.account_type = kinds.type
    where
        coalesce(kinds.is_asset, true)
        and not coalesce(
            accounts.closed_date <= {{ as_of() }},
            accounts.status = 'closed',
            false
        )
),

held as (
    select
        holdings.holding_type as part,
        holdings.currency,
        holdings.amount
    from {{ ref('int_profile__holdings') }} as holdings
    inner join kinds
        on
            kinds.relation = 'holdings'
            and kinds.is_asset
            and holdings.holding_type = kinds.type
    left join accounts
        on
            holdings.account_id = accounts.account_id
            and holdings.holding_type = accounts.account_type
    left join last_balances on accounts.account_id = last_balances.account_id
    where
        holdings.is_held
        and holdings.amount is not null
        and last_balances.account_id is null
),

all_parts as (
    select * from on_accounts
    union all
    select * from held
),

told as (
    select
        all_parts.part,
        {{ in_reporting_currency('all_parts.amount', 'all_parts.currency', 'rates.rate') }}
            as amount
    from all_parts
    left join rates on all_parts.currency = rates.currency
),

expected as (
    select
        {%- for part in ['deposit', 'investment'] %}
        coalesce(sum(case when part = '{{ part }}' then amount end), 0) as {{ part }}_amount,
        {%- endfor %}
        coalesce(sum(amount), 0) as aum_amount,
        {{ count_if('amount is null') }} as unconverted_count
    from told
),

profiles as (
    select
        coalesce(sum(deposit_amount), 0) as deposit_amount,
        coalesce(sum(investment_amount), 0) as investment_amount,
        coalesce(sum(aum_amount), 0) as aum_amount,
        coalesce(sum(unconverted_asset_count), 0) as unconverted_count
    from {{ ref('customer_profile') }}
)

select
    expected.aum_amount as expected_amount,
    profiles.aum_amount,
    expected.unconverted_count as expected_count,
    profiles.unconverted_count
from expected
cross join profiles
where
    expected.deposit_amount <> profiles.deposit_amount
    or expected.investment_amount <> profiles.investment_amount
    or expected.aum_amount <> profiles.aum_amount
    or expected.unconverted_count <> profiles.unconverted_count
