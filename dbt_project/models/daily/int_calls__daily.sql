{{ config(
    materialized='incremental',
    incremental_strategy='run_scope',
    meta={'feed': 'call_logs'},
) }}

with

calls as (
    select
        *,
        case when outcome = 'handled' then handle_seconds end as handled_seconds,
        case
            when outcome = 'handled' then {{ seconds_between('queued_at', 'answered_at') }}
        end as wait_seconds
    from {{ ref('stg_call_logs') }}
    where {{ in_scope('call_logs', 'business_date') }}
),

calls_daily as (
    select
        subject_type,
        subject,
        business_date,
        count(*) as call_count,
        {{ count_if("outcome = 'handled'") }} as handled_count,
        {{ count_if("outcome = 'abandoned'") }} as abandoned_count,
        {{ sum_integer('handled_seconds') }} as handle_seconds,
        {{ sum_integer('wait_seconds') }} as wait_seconds,
        count(wait_seconds) as wait_count,
        {{ sum_integer('transfer_count') }} as transfer_count,
        max(started_at) as last_at
    from calls
    group by subject_type, subject, business_date
)

select * from calls_daily
