{%- set columns = [
    'profile_id', 'scheme', 'month_start', 'is_final', 'rule_version', 'priority', 'segment',
    'reason', 'rule_segment', 'minimum_count', 'rest_segment',
] -%}
with

schemes as (
    select * from {{ ref('segment_schemes') }}
),

placed as (
    select
        p.*,
        p.segment as rule_segment,
        s.minimum_count,
        s.rest_segment
    from {{ ref('int_segments__placed') }} as p
    inner join schemes as s on p.scheme = s.scheme
),

placed_0 as (
    select * from placed
    where minimum_count > 0
),

{%- for step in [1, 2, 3] %}

-- step {{ step }}: who is in a segment of too few is in the next wider one
counted_{{ step }} as (
    select
        *,
        count(*) over (partition by scheme, month_start, segment) as member_count
    from placed_{{ step - 1 }}
),

placed_{{ step }} as (
    select
        {%- for column in columns if column != 'segment' %}
        {{ column }},
        {%- endfor %}
        case
            when member_count >= minimum_count or segment = rest_segment then segment
            when {{ is_part('segment') }} then {{ wider_segment('segment') }}
            else rest_segment
        end as segment
    from counted_{{ step }}
),
{%- endfor %}

united as (
    select {{ columns | join(', ') }} from placed_3
    union all
    select {{ columns | join(', ') }} from placed
    where minimum_count = 0
),

sized as (
    select
        profile_id,
        scheme,
        month_start,
        is_final,
        rule_version,
        priority,
        segment,
        case
            when segment = rule_segment then reason
            else 'Fewer than ' || minimum_count || ' in ' || rule_segment || '. ' || reason
        end as reason,
        row_number() over (
            partition by profile_id, scheme, month_start, segment
            order by priority
        ) as place
    from united
),

-- several rules may lead to one segment
once as (
    select * from sized
    where place = 1
),

-- the segment of the highest priority where a person is in several
ranked as (
    select
        *,
        row_number() over (
            partition by profile_id, month_start
            order by priority, scheme, segment
        ) as preference
    from once
    where scheme in (select scheme from schemes where not is_partition)
),

with_primary as (
    select
        profile_id,
        scheme,
        month_start,
        is_final,
        rule_version,
        priority,
        segment,
        reason
    from once
    union all
    select
        profile_id,
        'primary' as scheme,
        month_start,
        is_final,
        rule_version,
        priority,
        segment,
        reason
    from ranked
    where preference = 1
)

select * from with_primary
