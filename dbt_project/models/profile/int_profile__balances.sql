with

balances as (
    select * from {{ ref('int_balances__by_month') }}
),

owners as (
    select * from {{ ref('int_accounts__owners') }}
),

joint_holders as (
    select * from {{ ref('int_profile__account_holders') }}
    where part = 'joint'
),

-- only what the master says is closed: an account it does not know, or a bank without a master,
-- keeps its money
closed_accounts as (
    select * from {{ ref('stg_accounts') }}
    where coalesce(closed_date <= {{ as_of() }}, status = 'closed')
),

rates as (
    select * from {{ ref('int_profile__rates') }}
    where rate_date = {{ as_of() }}
),

last_ones as (
    select
        account_id,
        max(balance_date) as balance_date,
        max_by(balance_amount, balance_date) as balance_amount,
        max_by(currency, balance_date) as currency
    from balances
    group by account_id
),

converted as (
    select
        b.account_id,
        b.balance_date,
        {{ in_reporting_currency('b.balance_amount', 'b.currency', 'r.rate') }} as balance_amount,
        {{ is_unconverted('b.currency', 'r.rate') }} as is_unconverted
    from last_ones as b
    left join rates as r on b.currency = r.currency
    where b.account_id not in (select account_id from closed_accounts)
),

-- every balance counts once for its primary owner, and beside it for each joint holder
shares as (
    select
        coalesce(o.profile_id, 'unattributed') as profile_id,
        c.balance_amount,
        cast(null as decimal(18, 2)) as joint_balance_amount,
        c.balance_date,
        c.is_unconverted
    from converted as c
    left join owners as o on c.account_id = o.account_id
    union all
    select
        h.profile_id,
        cast(null as decimal(18, 2)) as balance_amount,
        c.balance_amount as joint_balance_amount,
        cast(null as date) as balance_date,
        false as is_unconverted
    from converted as c
    inner join joint_holders as h on c.account_id = h.account_id
),

summed as (
    select
        profile_id,
        cast(sum(balance_amount) as decimal(18, 2)) as balance_amount,
        cast(sum(joint_balance_amount) as decimal(18, 2)) as joint_balance_amount,
        max(balance_date) as balance_date,
        count(case when is_unconverted then 1 end) as unconverted_balance_count
    from shares
    group by profile_id
)

select * from summed
