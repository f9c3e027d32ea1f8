with

current_versions as (
    {{ current_versions('complaints', key=['complaint_id'], version='updated_at') | indent(4) }}
),

dated as (
    select
        *,
        {{ local_date('received_at') }} as received_date,
        {{ local_date('closed_at') }} as closed_date,
        closed_at is not null
        and {{ local_date('closed_at') }} > {{ as_of() }} as is_ended_later
    from current_versions
),

-- What happened after as_of is not known yet: the complaint is still open.
complaints as (
    select
        complaint_id,
        received_at,
        party_id,
        phone_token,
        product,
        issue,
        channel,
        case when is_ended_later then 'open' else status end as status,
        case when not is_ended_later then closed_at end as closed_at,
        case when not is_ended_later then resolution end as resolution,
        case when not is_ended_later then is_timely end as is_timely,
        updated_at,
        received_date,
        case when not is_ended_later then closed_date end as closed_date,
        {{ subject_columns([('phone', 'phone_token')]) | indent(8) }},
        source,
        arrival_number
    from dated
    where received_date <= {{ as_of() }}
)

select * from complaints
