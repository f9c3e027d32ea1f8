{%- set first_month = month_start(segment_months() + 11) -%}
with

initiated as (
    select * from {{ ref('int_segments__initiated') }}
),

login_months as (
    select * from {{ ref('int_segments__login_months') }}
    where month_start >= cast('{{ first_month }}' as date)
),

identity_map as (
    select * from {{ ref('identity_map') }}
),

calls as (
    select * from {{ ref('int_cx__calls') }}
    where
        business_date >= cast('{{ first_month }}' as date)
        and is_contact
),

-- days on which the identifier was the person's, up to as_of
logins as (
    select
        i.profile_id,
        l.month_start,
        l.login_days & {{ days_of_month(
            'l.month_start',
            'i.valid_from',
            'least(i.valid_to, ' ~ add_days(as_of(), 1) ~ ')',
        ) }} as login_days
    from login_months as l
    inner join identity_map as i
        on
            l.subject_type = i.identifier_type
            and l.subject = i.identifier
),

acts as (
    select
        profile_id,
        month_start,
        active_days,
        cast(0 as bigint) as app_days,
        case when not is_late then initiated_amount end as initiated_amount,
        case when is_late then initiated_amount end as late_initiated_amount
    from initiated
    union all
    select
        profile_id,
        month_start,
        login_days as active_days,
        login_days as app_days,
        cast(null as decimal(18, 2)) as initiated_amount,
        cast(null as decimal(18, 2)) as late_initiated_amount
    from logins
    where login_days <> 0
    union all
    select
        profile_id,
        {{ first_of_month('business_date') }} as month_start,
        {{ day_bit('business_date') }} as active_days,
        cast(0 as bigint) as app_days,
        cast(null as decimal(18, 2)) as initiated_amount,
        cast(null as decimal(18, 2)) as late_initiated_amount
    from calls
    where profile_id <> 'unattributed'
),

-- days, not clicks: who pays twice and calls on one day was active on one day
activity as (
    select
        profile_id,
        month_start,
        bit_or(active_days) as active_days,
        bit_or(app_days) as app_days,
        {{ sum_money('initiated_amount') }} as initiated_amount,
        {{ sum_money('late_initiated_amount') }} as late_initiated_amount
    from acts
    group by profile_id, month_start
)

select * from activity
