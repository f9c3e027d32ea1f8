with

schemes as (
    {{ in_force('segment_schemes', 'scheme') | indent(4) }}
),

days as (
    select * from {{ ref('int_segments__days') }}
),

rules as (
    select
        scheme,
        valid_from as rule_version,
        priority,
        min(segment) as rule_segment,
        min(reason) as rule_reason
    from {{ ref('segment_rules') }}
    group by scheme, valid_from, priority
),

-- whom each rule places, where it matters how many they are
counted as (
    select
        p.scheme,
        p.rule_version,
        p.priority,
        d.month_start,
        count(*) as person_count
    from {{ ref('int_segments__placed') }} as p
    inner join schemes as s on p.scheme = s.scheme
    inner join days as d on {{ is_in('d.month_bit', 'p.months') }}
    where s.minimum_count > 0
    group by p.scheme, p.rule_version, p.priority, d.month_start
),

sized_0 as (
    select
        r.*,
        d.month_start,
        d.month_bit,
        s.minimum_count,
        s.rest_segment,
        coalesce(c.person_count, 0) as person_count,
        r.rule_segment as segment
    from rules as r
    inner join schemes as s on r.scheme = s.scheme
    cross join days as d
    left join counted as c
        on
            r.scheme = c.scheme
            and r.rule_version = c.rule_version
            and r.priority = c.priority
            and d.month_start = c.month_start
),

{%- for step in [1, 2, 3] %}

-- step {{ step }}: who is in a segment of too few is in the next wider one
counted_{{ step }} as (
    select
        *,
        sum(person_count) over (partition by scheme, month_start, segment) as member_count
    from sized_{{ step - 1 }}
),

sized_{{ step }} as (
    select
        scheme,
        rule_version,
        priority,
        rule_segment,
        rule_reason,
        month_start,
        month_bit,
        minimum_count,
        rest_segment,
        person_count,
        case
            when member_count >= minimum_count or segment = rest_segment then segment
            when {{ is_part('segment') }} then {{ wider_segment('segment') }}
            else rest_segment
        end as segment
    from counted_{{ step }}
),
{%- endfor %}

sized as (
    select
        scheme,
        rule_version,
        priority,
        month_start,
        month_bit,
        segment,
        case
            when segment = rule_segment then rule_reason
            else 'Fewer than ' || minimum_count || ' in ' || rule_segment || '. ' || rule_reason
        end as reason
    from sized_3
)

select * from sized
