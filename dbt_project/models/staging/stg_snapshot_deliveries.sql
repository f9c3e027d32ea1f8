with

deliveries as (
    select *
    from {{ source('raw', 'deliveries') }}
    where feed in ('account_parties', 'holdings')
),

-- A file delivered again under its name replaces what it said before.
latest_of_name as (
    select
        *,
        row_number() over (
            partition by feed, source, delivery_name
            order by arrival_number desc
        ) as name_rank
    from deliveries
),

-- Days up to as_of come first, the newest in front; later ones only where there is no other.
ranked_days as (
    select
        *,
        dense_rank() over (
            partition by feed, source
            order by
                case when delivery_day <= {{ as_of() }} then 0 else 1 end,
                case when delivery_day <= {{ as_of() }} then delivery_day end desc nulls last,
                delivery_day
        ) as day_rank
    from latest_of_name
    where name_rank = 1
),

snapshot_deliveries as (
    select
        feed,
        source,
        arrival_number,
        delivery_day
    from ranked_days
    where day_rank = 1
)

select * from snapshot_deliveries
