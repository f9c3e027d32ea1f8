with

days as (
    select * from {{ ref('int_segments__days') }}
),

parts as (
    select distinct
        month_number,
        is_late
    from {{ ref('int_segments__activity') }}
),

-- A whole month has the late part of its own; the month under way ends within, so that its months
-- are from the day after as_of's in one month to as_of's in the next.
placed as (
    select
        d.month_start,
        d.evaluation_date,
        p.month_number,
        p.is_late,
        d.month_number - p.month_number
        - case when p.is_late and not d.is_final then 1 else 0 end as months_ago
    from days as d
    cross join parts as p
)

select * from placed
where months_ago >= 0 and months_ago < 12
