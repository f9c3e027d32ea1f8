with

days as (
    select * from {{ ref('int_segments__days') }}
),

balances as (
    select * from {{ ref('int_balances__by_month') }}
),

rates as (
    select * from {{ ref('int_profile__rates') }}
),

accounts as (
    select
        o.account_id,
        o.profile_id,
        a.closed_date,
        a.status
    from {{ ref('int_accounts__owners') }} as o
    left join {{ ref('stg_accounts') }} as a on o.account_id = a.account_id
),

-- it has that until a month with another
periods as (
    select
        *,
        lead(month_start) over (
            partition by account_id
            order by month_start
        ) as next_month_start
    from balances
),

held as (
    select
        a.profile_id,
        d.month_start,
        {{ in_reporting_currency('p.balance_amount', 'p.currency', 'r.rate') }} as balance_amount
    from periods as p
    inner join accounts as a on p.account_id = a.account_id
    inner join days as d
        on
            p.month_start <= d.month_start
            and coalesce(p.next_month_start > d.month_start, true)
    left join rates as r
        on
            p.currency = r.currency
            and d.evaluation_date = r.rate_date
    where not coalesce(a.closed_date <= d.evaluation_date, a.status = 'closed', false)
),

summed as (
    select
        profile_id,
        month_start,
        {{ sum_money('balance_amount') }} as balance_amount
    from held
    group by profile_id, month_start
)

select * from summed
