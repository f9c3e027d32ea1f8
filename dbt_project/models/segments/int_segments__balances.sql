with

days as (
    select * from {{ ref('int_segments__days') }}
),

balances as (
    select * from {{ ref('int_balances__daily') }}
    where
        business_date >= cast('{{ month_start(0) }}' as date)
        and business_date <= {{ as_of() }}
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

-- what each account ended a month with; the month under way ends with as_of
ended as (
    select
        account_id,
        month_start,
        balance_amount,
        currency
    from {{ ref('int_segments__month_ends') }}
    where month_start < cast('{{ month_start(0) }}' as date)
    union all
    select
        account_id,
        cast('{{ month_start(0) }}' as date) as month_start,
        max_by(balance_amount, business_date) as balance_amount,
        max_by(currency, business_date) as currency
    from balances
    group by account_id
),

-- it has that until a month with another
periods as (
    select
        *,
        lead(month_start) over (
            partition by account_id
            order by month_start
        ) as next_month_start
    from ended
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
