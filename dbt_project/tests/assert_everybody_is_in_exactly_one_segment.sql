-- A row returned is a person and month with no segment, or several, of a scheme that partitions.
with

schemes as (
    select scheme from {{ ref('segment_schemes') }}
    where is_partition
    union all
    select 'primary' as scheme
),

placed as (
    select
        profile_id,
        scheme,
        month_start,
        count(*) as segment_count
    from {{ ref('int_segments__sized') }}
    group by profile_id, scheme, month_start
)

select
    people.profile_id,
    people.month_start,
    schemes.scheme,
    placed.segment_count
from {{ ref('int_segments__inputs') }} as people
cross join schemes
left join placed
    on
        people.profile_id = placed.profile_id
        and people.month_start = placed.month_start
        and schemes.scheme = placed.scheme
where
    people.month_start > cast('{{ month_start(segment_months()) }}' as date)
    and coalesce(placed.segment_count, 0) <> 1
