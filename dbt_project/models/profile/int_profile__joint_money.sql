with

joint_holders as (
    select * from {{ ref('int_profile__account_holders') }}
    where part = 'joint'
),

-- of joint accounts, as far back as the longest window
transactions as (
    select * from {{ ref('int_transactions__daily') }}
    where
        business_date > {{ day_before_windows(joint_money_measures()) }}
        and business_date <= {{ as_of() }}
        and account_id in (select joint_holders.account_id from joint_holders)
),

rates as (
    select * from {{ ref('int_profile__rates') }}
),

converted as (
    select
        h.profile_id,
        a.business_date,
        {{ in_reporting_currency('a.credit_amount', 'a.currency', 'r.rate') }} as credit_amount,
        {{ in_reporting_currency('a.debit_amount', 'a.currency', 'r.rate') }} as debit_amount
    from transactions as a
    inner join joint_holders as h on a.account_id = h.account_id
    left join rates as r
        on
            a.currency = r.currency
            and a.business_date = r.rate_date
),

summed as (
    select
        {{- window_sums(joint_money_measures()) }}
        profile_id
    from converted
    group by profile_id
)

select * from summed
