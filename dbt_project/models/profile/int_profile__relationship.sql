with

accounts as (
    select * from {{ ref('int_profile__accounts') }}
),

holdings as (
    select * from {{ ref('int_profile__holdings') }}
),

product_kinds as (
    select * from {{ ref('product_kinds') }}
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

-- an account and the holding kept on it are one product
kinds as (
    select
        a.profile_id,
        k.product_kind
    from accounts as a
    inner join product_kinds as k
        on
            k.relation = 'accounts'
            and a.account_type = k.type
    where
        a.is_open
        and a.part in ('primary', 'joint')
    union all
    select
        h.profile_id,
        k.product_kind
    from holdings as h
    inner join product_kinds as k
        on
            k.relation = 'holdings'
            and h.holding_type = k.type
    where h.is_held
),

depth as (
    select
        profile_id,
        count(distinct product_kind) as holding_depth_count
    from kinds
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
        depth.holding_depth_count,
        depth.holding_depth_count = 1
        and depth.profile_id <> 'unattributed' as is_single_product,
        h.next_maturity_date,
        h.next_maturity_date <= {{ days_before_as_of(-90) }} as is_maturing_90d
    from by_account as a
    full outer join by_holding as h on a.profile_id = h.profile_id
    left join depth on coalesce(a.profile_id, h.profile_id) = depth.profile_id
)

select * from relationship
