with

versions as (
    select
        valid_from,
        row_number() over (order by valid_from) = 1 as is_first,
        lead(valid_from) over (order by valid_from) as next_valid_from
    from (select distinct valid_from from {{ ref('loyalty_tier_rules') }}) as each_version
),

-- the first version speaks for all the time before it
rules as (
    select
        r.*,
        case when v.is_first then {{ beginning_of_time() }} else r.valid_from end as in_force_from,
        coalesce(v.next_valid_from, {{ end_of_time() }}) as in_force_until,
        max(r.rank) over (partition by r.valid_from) as top_rank
    from {{ ref('loyalty_tier_rules') }} as r
    inner join versions as v on r.valid_from = v.valid_from
)

select * from rules
