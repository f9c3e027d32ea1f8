with

channels as (
    select * from {{ ref('contact_channels') }}
),

transactions as (
    select
        t.account_id,
        t.business_date,
        t.channel as source_value
    from {{ ref('stg_transactions') }} as t
    inner join {{ ref('transaction_categories') }} as c
        on
            t.category = c.category
            and t.direction = c.direction
            and c.is_customer_initiated
    where
        t.is_booked
        and t.business_date > {{ days_before_as_of(90) }}
        and t.business_date <= {{ as_of() }}
),

owners as (
    select * from {{ ref('int_accounts__owners') }}
),

app_days as (
    select * from {{ ref('int_app_events__daily') }}
    where
        business_date > {{ days_before_as_of(90) }}
        and business_date <= {{ as_of() }}
),

people_in_app as (
    {{ with_profile('app_days') | indent(4) }}
),

calls as (
    select * from {{ ref('int_cx__calls') }}
    where
        business_date > {{ days_before_as_of(90) }}
        and is_contact
),

uses as (
    select
        o.profile_id,
        'transactions' as feed,
        t.source_value,
        t.business_date
    from transactions as t
    inner join owners as o on t.account_id = o.account_id
    union all
    select
        profile_id,
        'app_events' as feed,
        platform as source_value,
        business_date
    from people_in_app
    union all
    select
        profile_id,
        'call_logs' as feed,
        direction as source_value,
        business_date
    from calls
),

-- days, not clicks: a transfer in the app is a transaction and a session, and one day of use
channel_days as (
    select
        u.profile_id,
        c.channel,
        c.is_choice,
        c.priority,
        u.business_date
    from uses as u
    inner join channels as c
        on
            u.feed = c.feed
            and u.source_value = c.source_value
    where u.profile_id <> 'unattributed'
    group by u.profile_id, c.channel, c.is_choice, c.priority, u.business_date
)

select * from channel_days
