{%- set year = var('as_of')[:4] | int -%}

with

person as (
    select * from {{ ref('int_profile__person') }}
    where profile_id <> 'unattributed'
),

feeds as (
    select * from {{ ref('int_profile__fed') }}
),

rules as (
    select * from {{ ref('int_profile__persona_rules') }}
),

accounts as (
    select * from {{ ref('int_profile__accounts') }}
    where is_open
),

money as (
    select * from {{ ref('int_profile__persona_money') }}
),

aum as (
    select * from {{ ref('int_profile__aum') }}
),

-- accounts of organisations, by the other people who may act on them
firm_accounts as (
    select
        a.profile_id,
        count(*) as account_count
    from accounts as a
    inner join accounts as firms
        on
            a.account_id = firms.account_id
            and firms.part = 'primary'
    inner join person as firm
        on
            firms.profile_id = firm.profile_id
            and firm.is_organisation
    where a.part <> 'primary'
    group by a.profile_id
),

personas as (
    select
        person.profile_id,
        {{ year }} - person.birth_year >= rules.senior as is_senior,
        {{ zero_where_fed('f.account_count', ['accounts', 'account_parties']) }}
        >= rules.business_owner
        and not coalesce(person.is_organisation, false) as is_business_owner,
        {{ zero_where_fed('money.foreign_transaction_count', 'transactions') }}
        >= rules.cross_border as is_cross_border,
        {{ zero_where_fed('money.wage_day_count', 'transactions') }}
        >= rules.payroll as is_payroll,
        case
            when feeds.has_transactions or feeds.has_holdings
                then coalesce(aum.aum_amount, 0) >= rules.vip
        end as is_vip
    from person
    cross join feeds
    cross join rules
    left join firm_accounts as f on person.profile_id = f.profile_id
    left join money on person.profile_id = money.profile_id
    left join aum on person.profile_id = aum.profile_id
)

select * from personas
