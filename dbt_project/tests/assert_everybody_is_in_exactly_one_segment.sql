-- A row returned is a person with a month in no segment, or several, of a scheme that partitions.
with

schemes as (
    select scheme
    from ({{ in_force('segment_schemes', 'scheme') | indent(8) }}) as schemes
    where is_partition
    union all
    select 'primary' as scheme
),

people as (
    select
        i.profile_id,
        bit_or(d.month_bit) as months
    from {{ ref('int_segments__inputs') }} as i
    inner join {{ ref('int_segments__days') }} as d on i.month_start = d.month_start
    where i.month_start > cast('{{ month_start(segment_months()) }}' as date)
    group by i.profile_id
),

-- sets that have no month in common add up to the set of them all
placed as (
    select
        profile_id,
        scheme,
        bit_or(months) as months,
        {{ sum_integer('months') }} as added_months
    from {{ ref('int_segments__placed') }}
    group by profile_id, scheme
)

select
    people.profile_id,
    schemes.scheme,
    people.months as known_months,
    placed.months,
    placed.added_months
from people
cross join schemes
left join placed
    on
        people.profile_id = placed.profile_id
        and schemes.scheme = placed.scheme
where
    coalesce(placed.months, 0) <> people.months
    or placed.added_months <> people.months
