with

placed as (
    select
        s.*,
        {{ month_number('s.month_start') }} as month_number
    from {{ ref('int_segments__sized') }} as s
),

known as (
    select
        profile_id,
        min(known_from_date) as known_from_date
    from {{ ref('int_segments__inputs') }}
    group by profile_id
),

-- months in a row in one segment have the same difference between their number and their place
runs as (
    select
        *,
        month_number - row_number() over (
            partition by profile_id, scheme, segment
            order by month_number
        ) as run_number
    from placed
),

memberships as (
    select
        profile_id,
        scheme,
        segment,
        min(month_start) as first_month,
        max(month_number) as last_month_number,
        min_by(rule_version, month_number) as rule_version,
        min_by(reason, month_number) as reason,
        min_by(is_final, month_number) as is_entry_final
    from runs
    group by profile_id, scheme, segment, run_number
),

days as (
    select * from {{ ref('int_segments__days') }}
),

-- who was there in the first month that is kept entered at an unknown time
dated as (
    select
        m.profile_id,
        m.scheme,
        m.segment,
        m.first_month as from_month,
        case
            when m.first_month > cast('{{ month_start(segment_months() - 1) }}' as date)
                then greatest(m.first_month, k.known_from_date)
        end as entered_date,
        l.month_start as left_date,
        m.rule_version,
        m.reason,
        m.is_entry_final and coalesce(l.is_final, true) as is_final
    from memberships as m
    inner join known as k on m.profile_id = k.profile_id
    left join days as l on m.last_month_number + 1 = l.month_number
)

select * from dated
