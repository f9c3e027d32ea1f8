{%- set inbound_handled = "outcome = 'handled' and direction = 'inbound'" -%}
{%- set is_short = "(
            outcome = 'abandoned'
            and coalesce(seconds_to_end <= short_abandon_seconds, false)
        )" -%}

{#- metric, which calls it takes, what one call is worth, whether it is left out -#}
{%- set metrics = [
    [
        'aht_seconds',
        inbound_handled,
        'measured_handle_seconds',
        '(measured_handle_seconds is null)',
    ],
    [
        'wait_seconds',
        'is_offered and measured_wait_seconds is not null',
        'measured_wait_seconds',
        'false',
    ],
    [
        'service_level_share',
        'is_offered',
        'case when measured_wait_seconds <= service_level_seconds then 1 else 0 end',
        '(' ~ is_short ~ " or (outcome = 'handled' and measured_wait_seconds is null))",
    ],
    [
        'abandonment_share',
        'is_offered',
        "case when outcome = 'abandoned' then 1 else 0 end",
        is_short,
    ],
    [
        'transfer_share',
        inbound_handled ~ ' and transfer_count is not null',
        'case when transfer_count > 0 then 1 else 0 end',
        'false',
    ],
    ['short_abandon_count', 'is_offered and ' ~ is_short, '1', 'false'],
    ['calls_offered', 'is_offered', '1', 'false'],
] -%}

with

calls as (
    select * from {{ ref('int_cx__calls') }}
),

rules as (
    select * from {{ ref('int_cx__rules') }}
),

people as (
    select * from {{ ref('int_profile__people') }}
),

observations as (
{% for metric, condition, value, left_out in metrics %}
    select
        '{{ metric }}' as metric,
        call_id as observation_id,
        business_date as metric_date,
        business_date as final_date,
        profile_id,
        contact_topic as product,
        cast({{ value }} as decimal(18, 6)) as value,
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
        contact_topic as product,
        cast(null as decimal(18, 6)) as value,
        true as is_left_out
    from calls
    where
        {{ inbound_handled }}
        and profile_id not in (select profile_id from people)
    union all
    select
        'fcr_share' as metric,
        contact_id as observation_id,
        business_date as metric_date,
        final_date,
        profile_id,
        contact_topic as product,
        cast(case when is_resolved then 1 else 0 end as decimal(18, 6)) as value,
        false as is_left_out
    from {{ ref('int_cx__first_contacts') }}
),

described as (
    select
        *,
        'phone' as channel,
        'call' as touchpoint
    from observations
)

select * from described
