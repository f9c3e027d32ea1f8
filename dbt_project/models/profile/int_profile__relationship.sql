with

accounts as (
    select * from {{ ref('int_profile__accounts') }}
),

holdings as (
    select * from {{ ref('int_profile__holdings') }}
),

by_account as (
    select
        profile_id,
        bool_or(was_opened) as was_opened,
        count(case when is_open and part = 'primary' then 1 end) as account_open_count,
        count(case when is_open and part = 'joint' then 1 end) as joint_account_open_count,
        min(case when was_opened then opened_date end) as first_account_opened_date
    from accounts
    group by profile_id
),

by_holding as (
    select
        profile_id,
        bool_or(was_opened) as was_opened,
        {%- for type in holding_types() %}
        count(case when is_held and holding_type = '{{ type }}' then 1 end) as {{ type }}_count,
        {%- endfor %}
        count(distinct case when is_held then holding_type end) as product_type_count,
        min(
            case when is_held and maturity_date > {{ as_of() }} then maturity_date end
        ) as next_maturity_date
    from holdings
    group by profile_id
),

relationship as (
    select
        coalesce(a.profile_id, h.profile_id) as profile_id,
        coalesce(a.was_opened, false) or coalesce(h.was_opened, false) as is_customer,
        a.account_open_count,
        a.joint_account_open_count,
        a.first_account_opened_date,
        {%- for type in holding_types() %}
        h.{{ type }}_count,
        {%- endfor %}
        h.product_type_count,
        h.next_maturity_date
    from by_account as a
    full outer join by_holding as h on a.profile_id = h.profile_id
)

select * from relationship
