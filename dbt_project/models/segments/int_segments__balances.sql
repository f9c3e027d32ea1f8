with

days as (
    select * from {{ ref('int_segments__days') }}
),

balances as (
    select * from {{ ref('int_balances__daily') }}
    where business_date <= {{ as_of() }}
),

owners as (
    select * from {{ ref('int_accounts__owners') }}
),

accounts as (
    select * from {{ ref('stg_accounts') }}
),

rates as (
    select * from {{ ref('int_profile__rates') }}
),

-- what each account ended a month with
ended as (
    select
        account_id,
        {{ month_number('business_date') }} as month_number,
        max_by(balance_amount, business_date) as balance_amount,
        max_by(currency, business_date) as currency
    from balances
    group by account_id, {{ month_number('business_date') }}
),

-- it has that until a month with another
periods as (
    select
        *,
        lead(month_number) over (
            partition by account_id
            order by month_number
        ) as next_month_number
    from ended
),

held as (
    select
        p.account_id,
        d.month_start,
        {{ in_reporting_currency('p.balance_amount', 'p.currency', 'r.rate') }} as balance_amount
    from periods as p
    inner join days as d
        on
            p.month_number <= d.month_number
            and coalesce(p.next_month_number > d.month_number, true)
    left join rates as r
        on
            p.currency = r.currency
            and d.evaluation_date = r.rate_date
    left join accounts as a on p.account_id = a.account_id
    where not coalesce(a.closed_date <= d.evaluation_date, a.status = 'closed', false)
),

summed as (
    select
        o.profile_id,
        h.month_start,
        {{ sum_money('h.balance_amount') }} as balance_amount
    from held as h
    inner join owners as o on h.account_id = o.account_id
    group by o.profile_id, h.month_start
)

select * from summed
