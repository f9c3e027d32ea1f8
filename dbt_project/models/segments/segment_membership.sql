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
        profile_id,
        scheme,
        segment,
        bit_or(months) as months
    from placed
    group by profile_id, scheme, segment
),

-- A run begins with a month the one before which is out. Added to the set, its first month carries
-- over to the month after its last.
runs as (
    select
        s.profile_id,
        s.scheme,
        s.segment,
        d.month_start,
        d.month_bit,
        d.is_final,
        (s.months + d.month_bit) & ~s.months as later_months
    from segments as s
    inner join days as d on {{ is_in('d.month_bit', 's.months & ~(2 * s.months)') }}
),

-- of the rules that hold then the first says why
entered as (
    select
        r.profile_id,
        r.scheme,
        r.segment,
        r.month_start,
        r.is_final,
        r.later_months & -r.later_months as left_bit,
        min(p.rule_scheme) as rule_scheme,
        min(p.rule_version) as rule_version,
        min(p.priority) as priority
    from runs as r
    inner join placed as p
        on
            r.profile_id = p.profile_id
            and r.scheme = p.scheme
            and r.segment = p.segment
            and {{ is_in('r.month_bit', 'p.months') }}
    group by r.profile_id, r.scheme, r.segment, r.month_start, r.is_final, r.later_months
),

-- who was there in the first month that is kept entered at an unknown time
memberships as (
    select
        e.profile_id,
        e.scheme,
        e.segment,
        e.month_start as from_month,
        case
            when e.month_start > cast('{{ month_start(segment_months() - 1) }}' as date)
                then greatest(e.month_start, k.known_from_date)
        end as entered_date,
        l.month_start as left_date,
        e.rule_version,
        w.reason,
        e.is_final and coalesce(l.is_final, true) as is_final
    from entered as e
    inner join people as k on e.profile_id = k.profile_id
    inner join sized as w
        on
            e.rule_scheme = w.scheme
            and e.rule_version = w.rule_version
            and e.priority = w.priority
            and e.month_start = w.month_start
    left join days as l on e.left_bit = l.month_bit
)

select * from memberships
