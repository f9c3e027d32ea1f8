with

accounts as (
    select * from {{ ref('int_profile__accounts') }}
    where was_opened
),

holdings as (
    select * from {{ ref('int_profile__holdings') }}
    where was_opened
),

days as (
    select * from {{ ref('int_segments__days') }}
),

relations as (
    select
        profile_id,
        'account' as product,
        opened_date,
        closed_date,
        is_closed
    from accounts
    union all
    select
        profile_id,
        holding_type as product,
        opened_date,
        closed_date,
        is_closed
    from holdings
),

-- closed without a day is closed all the time, opened without one was there before
held as (
    select
        r.profile_id,
        d.month_start,
        r.product,
        r.opened_date,
        coalesce(r.closed_date > d.evaluation_date, not r.is_closed) as is_open
    from relations as r
    inner join days as d
        on coalesce(r.opened_date, {{ beginning_of_time() }}) <= d.evaluation_date
    where r.profile_id <> 'unattributed'
),

products as (
    select
        profile_id,
        month_start,
        product,
        min(opened_date) as opened_date,
        max(case when is_open then 1 else 0 end) as is_open
    from held
    group by profile_id, month_start, product
),

counted as (
    select
        profile_id,
        month_start,
        min(opened_date) as opened_date,
        max(is_open) as has_open_product,
        {{ sum_integer('is_open') }} as product_count
    from products
    group by profile_id, month_start
)

select * from counted
