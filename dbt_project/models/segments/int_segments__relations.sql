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

product_kinds as (
    select * from {{ ref('product_kinds') }}
),

-- a kind of product counts for its owners; an account no master knows is one, an order is none
relations as (
    select
        a.profile_id,
        true as is_account,
        case
            when a.part in ('primary', 'joint') then coalesce(k.product_kind, 'account')
        end as product,
        a.opened_date,
        a.closed_date,
        a.is_closed
    from accounts as a
    left join product_kinds as k
        on
            k.relation = 'accounts'
            and a.account_type = k.type
    union all
    select
        h.profile_id,
        false as is_account,
        k.product_kind as product,
        h.opened_date,
        h.closed_date,
        h.is_closed
    from holdings as h
    left join product_kinds as k
        on
            k.relation = 'holdings'
            and h.holding_type = k.type
),

-- the months at the end of which a kind of product was open: closed without a day is closed all
-- the time, opened without one was there before
products as (
    select
        profile_id,
        is_account,
        product,
        min(opened_date) as opened_date,
        bool_or(opened_date is null) as was_there_before,
        bit_or(
            {%- for k in range(segment_months() + 1) %}
            case
                when
                    coalesce(opened_date <= {{ evaluation_day(k) }}, true)
                    and coalesce(closed_date > {{ evaluation_day(k) }}, not is_closed)
                    then {{ month_bit(k) }}
                else 0
            end
            {{- " +" if not loop.last }}
            {%- endfor %}
        ) as open_months
    from relations
    where profile_id <> 'unattributed'
    group by profile_id, is_account, product
),

-- since when a person is with the bank is told by accounts, and by holdings where there are none;
-- it is unknown where one of these was there before
counted as (
    select
        p.profile_id,
        d.month_start,
        case
            when not bool_or(p.was_there_before and p.is_account)
                and (bool_or(p.is_account) or not bool_or(p.was_there_before))
                then min(case when p.opened_date <= d.evaluation_date then p.opened_date end)
        end as opened_date,
        max(case when {{ is_in('d.month_bit', 'p.open_months') }} then 1 else 0 end)
            as has_open_product,
        count(
            distinct case when {{ is_in('d.month_bit', 'p.open_months') }} then p.product end
        ) as product_count
    from products as p
    inner join days as d on p.was_there_before or p.opened_date <= d.evaluation_date
    group by p.profile_id, d.month_start
)

select * from counted
