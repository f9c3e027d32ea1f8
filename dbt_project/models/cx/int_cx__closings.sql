with

versions as (
    {{ distinct_versions('complaints', ['complaint_id'], 'updated_at') | indent(4) }}
),

rules as (
    select * from {{ ref('int_cx__rules') }}
),

-- what the desk knew by as_of, and since when; a system without versions tells when it closed it
told as (
    select
        complaint_id,
        status,
        coalesce(updated_at, closed_at, received_at) as told_at
    from versions
),

known as (
    select
        *,
        {{ local_date('told_at') }} as told_date
    from told
    where {{ is_by_as_of(local_date('told_at')) }}
),

first_closings as (
    select
        complaint_id,
        min(told_at) as closed_at,
        min(told_date) as closed_date
    from known
    where status = 'closed'
    group by complaint_id
),

closings as (
    select
        f.complaint_id,
        f.closed_date,
        {{ add_days('f.closed_date', 'max(r.reopen_window_days)') }} as final_date,
        {{ count_if(
            "k.status = 'open' and k.told_at > f.closed_at and k.told_date <= "
            ~ add_days('f.closed_date', 'r.reopen_window_days')
        ) }} > 0 as is_reopened
    from first_closings as f
    cross join rules as r
    left join known as k on f.complaint_id = k.complaint_id
    group by f.complaint_id, f.closed_date
)

select * from closings
