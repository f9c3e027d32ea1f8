with

days as (
    select * from {{ ref('int_segments__days') }}
),

people as (
    select * from {{ ref('int_segments__people') }}
),

sized as (
    select * from {{ ref('int_segments__sized') }}
),

-- the months in which a rule leads to a segment
meant as (
    select
        scheme,
        rule_version,
        priority,
        segment,
        bit_or(month_bit) as months
    from sized
    group by scheme, rule_version, priority, segment
),

placed as (
    select
        p.profile_id,
        p.scheme,
        m.segment,
        p.rule_scheme,
        p.rule_version,
        p.priority,
        p.months & m.months as months
    from {{ ref('int_segments__placed') }} as p
    inner join meant as m
        on
            p.rule_scheme = m.scheme
            and p.rule_version = m.rule_version
            and p.priority = m.priority
            and {{ is_in('m.months', 'p.months') }}
),

-- several rules may lead to one segment
segments as (
    select
        *,
        bit_or(months) over (partition by profile_id, scheme, segment) as all_months
    from placed
),

-- A run begins with a month the one before which is out; of the rules that hold then the first
-- says why.
entered as (
    select
        s.profile_id,
        s.scheme,
        s.segment,
        d.month_start,
        min(d.month_bit) as month_bit,
        bool_or(d.is_final) as is_final,
        min(s.all_months) as all_months,
        min(s.rule_scheme) as rule_scheme,
        min(s.rule_version) as rule_version,
        min(s.priority) as priority
    from segments as s
    inner join days as d
        on {{ is_in('d.month_bit', 's.months & ~(2 * s.all_months)') }}
    group by s.profile_id, s.scheme, s.segment, d.month_start
),

-- Added to the set, a run's first month carries over to the month after its last.
runs as (
    select
        *,
        (all_months + month_bit) & ~all_months as later_months
    from entered
),

-- who was there in the first month that is kept entered at an unknown time
memberships as (
    select
        r.profile_id,
        r.scheme,
        r.segment,
        r.month_start as from_month,
        case
            when r.month_start > cast('{{ month_start(segment_months() - 1) }}' as date)
                then greatest(r.month_start, k.known_from_date)
        end as entered_date,
        l.month_start as left_date,
        r.rule_version,
        w.reason,
        r.is_final and coalesce(l.is_final, true) as is_final
    from runs as r
    inner join people as k on r.profile_id = k.profile_id
    inner join sized as w
        on
            r.rule_scheme = w.scheme
            and r.rule_version = w.rule_version
            and r.priority = w.priority
            and r.month_start = w.month_start
    left join days as l on r.later_months & -r.later_months = l.month_bit
)

select * from memberships
