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

-- the months at the end of which a kind of product was open: closed without a day is closed all
-- the time, opened without one was there before
products as (
    select
        profile_id,
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
    group by profile_id, product
),

counted as (
    select
        p.profile_id,
        d.month_start,
        min(case when p.opened_date <= d.evaluation_date then p.opened_date end) as opened_date,
        max(case when {{ is_in('d.month_bit', 'p.open_months') }} then 1 else 0 end)
            as has_open_product,
        {{ count_if(is_in('d.month_bit', 'p.open_months')) }} as product_count
    from products as p
    inner join days as d on p.was_there_before or p.opened_date <= d.evaluation_date
    group by p.profile_id, d.month_start
)

select * from counted
