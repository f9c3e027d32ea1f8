{#- columns of the profile that are features as they are -#}
{%- set measured = [
    'party_count',
    'account_open_count',
    'joint_account_open_count',
    'product_type_count',
    'balance_amount',
    'inflow_30d_amount',
    'inflow_90d_amount',
    'outflow_30d_amount',
    'outflow_90d_amount',
    'transaction_30d_count',
    'transaction_90d_count',
    'transaction_365d_count',
    'channel_day_90d_count',
    'app_90d_share',
    'branch_90d_share',
    'app_active_day_30d_count',
    'app_session_30d_count',
    'app_error_30d_count',
    'call_90d_count',
    'abandoned_call_90d_count',
    'wait_90d_seconds',
    'complaint_count',
    'open_complaint_count',
    'nps_last_score',
    'csat_mean_365d_score',
    'ces_mean_365d_score',
] -%}

with

profiles as (
    select * from {{ ref('customer_profile') }}
    where identified_by = 'party'
),

customer_features as (
    select
        profile_id,
        {{ as_of() }} as as_of_date,
        cast(case when profile_type = 'customer' then 1 else 0 end as bigint) as is_customer,
        {{ days_between('customer_since_date', as_of()) }} as tenure_days,
        {{ days_between('last_transaction_date', as_of()) }} as transaction_recency_days,
        {{ days_between(local_date('last_login_at'), as_of()) }} as login_recency_days,
        {{ days_between(local_date('last_call_at'), as_of()) }} as call_recency_days,
        {%- for column in measured %}
        cast({{ column }} as double) as {{ column }}
        {{- "," if not loop.last }}
        {%- endfor %}
    from profiles
)

select * from customer_features
