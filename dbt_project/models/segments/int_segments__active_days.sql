{#- twelve months before the first month that is placed -#}
{%- set first_day = month_start(segment_months() + 11) -%}

with

money as (
    select
        m.profile_id,
        m.business_date,
        m.customer_initiated_count,
        {{ in_reporting_currency('m.customer_initiated_amount', 'm.currency', 'r.rate') }}
            as initiated_amount
    from {{ ref('int_money__daily') }} as m
    left join {{ ref('int_profile__rates') }} as r
        on
            m.currency = r.currency
            and m.business_date = r.rate_date
    where
        m.business_date >= cast('{{ first_day }}' as date)
        and m.business_date <= {{ as_of() }}
        and m.customer_initiated_count > 0
),

app_days as (
    select * from {{ ref('int_app_events__daily') }}
    where
        business_date >= cast('{{ first_day }}' as date)
        and business_date <= {{ as_of() }}
        and login_count > 0
),

logins as (
    {{ with_profile('app_days') | indent(4) }}
),

calls as (
    select * from {{ ref('int_cx__calls') }}
    where
        business_date >= cast('{{ first_day }}' as date)
        and is_contact
),

acts as (
    select
        profile_id,
        business_date,
        initiated_amount,
        false as is_app
    from money
    union all
    select
        profile_id,
        business_date,
        cast(null as decimal(18, 2)) as initiated_amount,
        true as is_app
    from logins
    union all
    select
        profile_id,
        business_date,
        cast(null as decimal(18, 2)) as initiated_amount,
        false as is_app
    from calls
),

-- days, not clicks: who pays twice and calls on one day was active on one day
active_days as (
    select
        profile_id,
        business_date,
        {{ sum_money('initiated_amount') }} as initiated_amount,
        bool_or(is_app) as is_app
    from acts
    where profile_id <> 'unattributed'
    group by profile_id, business_date
)

select * from active_days
