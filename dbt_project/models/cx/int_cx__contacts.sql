with

calls as (
    select * from {{ ref('int_cx__calls') }}
),

complaints as (
    select * from {{ ref('int_cx__complaints') }}
),

-- a customer who called, whether or not an agent was reached
calls_in as (
    select
        'call_logs:' || call_id as contact_id,
        'phone' as channel,
        profile_id,
        business_date,
        contact_topic,
        started_at,
        ended_at,
        outcome = 'handled' as is_handled_call
    from calls
    where is_contact
),

called_complaints as (
    select distinct complaint_id from calls
    where is_contact
),

-- a complaint that a call was written down as is the same contact
other_complaints as (
    select
        'complaints:' || c.complaint_id as contact_id,
        coalesce(c.channel, '(unknown)') as channel,
        c.profile_id,
        c.business_date,
        coalesce(c.issue, c.product, '(unknown)') as contact_topic,
        c.received_at as started_at,
        c.received_at as ended_at,
        false as is_handled_call
    from complaints as c
    left join called_complaints as k on c.complaint_id = k.complaint_id
    where k.complaint_id is null
),

contacts as (
    select * from calls_in
    union all
    select * from other_complaints
)

select * from contacts
