with

complaints as (
    select * from {{ ref('int_cx__complaints') }}
),

contacts as (
    select * from {{ ref('int_cx__contacts') }}
),

contact_costs as (
    select * from {{ ref('cx_contact_costs') }}
),

closings as (
    select * from {{ ref('int_cx__closings') }}
),

observations as (
    select
        'complaint_count' as metric,
        complaint_id as observation_id,
        business_date as metric_date,
        business_date as final_date,
        profile_id,
        product,
        cast(1 as decimal(18, 6)) as value,
        channel,
        'complaint' as touchpoint
    from complaints
    union all
    select
        'reopen_share' as metric,
        x.complaint_id as observation_id,
        x.closed_date as metric_date,
        x.final_date,
        c.profile_id,
        c.product,
        cast(case when x.is_reopened then 1 else 0 end as decimal(18, 6)) as value,
        c.channel,
        'complaint' as touchpoint
    from closings as x
    inner join complaints as c on x.complaint_id = c.complaint_id
    union all
    select
        'cost_to_serve_amount' as metric,
        k.contact_id as observation_id,
        k.business_date as metric_date,
        k.business_date as final_date,
        k.profile_id,
        k.contact_topic as product,
        cast(p.unit_amount as decimal(18, 6)) as value,
        k.channel,
        case when k.channel = 'phone' then 'call' else 'complaint' end as touchpoint
    from contacts as k
    inner join contact_costs as p on k.channel = p.channel
)

select * from observations
