{%- set inbound_handled = "outcome = 'handled' and direction = 'inbound'" -%}
{%- set is_short = "(
            outcome = 'abandoned'
            and coalesce(seconds_to_end < short_abandon_seconds, false)
        )" -%}

{#- metric, which calls it takes, what one call is worth, whether it is left out -#}
{%- set metrics = [
    [
        "aht_seconds",
        inbound_handled,
        "measured_handle_seconds",
        "(measured_handle_seconds is null)",
    ],
    [
        "wait_seconds",
        "is_offered and measured_wait_seconds is not null",
        "measured_wait_seconds",
        "false",
    ],
    [
        "abandonment_share",
        "is_offered",
        "case when outcome = 'abandoned' then 1 else 0 end",
        is_short,
    ],
    ["short_abandon_count", "is_offered and " ~ is_short, "1", "false"],
    ["calls_offered", "is_offered", "1", "false"],
] -%}

with

calls as (
    select * from {{ ref('int_cx__calls') }}
),

rules as (
    select * from {{ ref('int_cx__rules') }}
),

complaints as (
    select * from {{ ref('int_cx__complaints') }}
),

first_contacts as (
    select * from {{ ref('int_cx__first_contacts') }}
),

observations as (
{% for metric, condition, value, left_out in metrics %}
    select
        '{{ metric }}' as metric,
        call_id as observation_id,
        business_date as metric_date,
        business_date as final_date,
        profile_id,
        cast(null as {{ type_text() }}) as region,
        'phone' as channel,
        contact_topic as product,
        cast({{ value }} as decimal(18, 6)) as value,
        cast(null as {{ type_text() }}) as nps_class,
        {{ left_out }} = false as is_counted,
        {{ left_out }} as is_left_out
    from calls
    cross join rules
    where {{ condition }}
    union all
{%- endfor %}
    -- handled calls of callers nobody could resolve: left out of the share, and counted
    select
        'fcr_share' as metric,
        call_id as observation_id,
        business_date as metric_date,
        business_date as final_date,
        profile_id,
        cast(null as {{ type_text() }}) as region,
        'phone' as channel,
        contact_topic as product,
        cast(null as decimal(18, 6)) as value,
        cast(null as {{ type_text() }}) as nps_class,
        false as is_counted,
        true as is_left_out
    from calls
    where
        {{ inbound_handled }}
        and profile_id not in (select profile_id from {{ ref('int_profile__people') }})
    union all
    select
        'fcr_share' as metric,
        contact_id as observation_id,
        business_date as metric_date,
        final_date,
        profile_id,
        cast(null as {{ type_text() }}) as region,
        'phone' as channel,
        contact_topic as product,
        cast(case when is_resolved then 1 else 0 end as decimal(18, 6)) as value,
        cast(null as {{ type_text() }}) as nps_class,
        true as is_counted,
        false as is_left_out
    from first_contacts
    union all
    select
        'complaint_count' as metric,
        complaint_id as observation_id,
        business_date as metric_date,
        business_date as final_date,
        profile_id,
        cast(null as {{ type_text() }}) as region,
        channel,
        product,
        cast(1 as decimal(18, 6)) as value,
        cast(null as {{ type_text() }}) as nps_class,
        true as is_counted,
        false as is_left_out
    from complaints
)

select * from observations
