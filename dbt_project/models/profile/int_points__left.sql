with

to_compute as (
    {{ rows_to_compute(ref('int_points__parties')) | indent(4) }}
),

entries as (
    select *
    from ({{ points_entries() | indent(8) }}) as known
    where party_id in (select party_id from to_compute)
),

-- Before a party gained the first points that still last, there was one lot only: those days are
-- as good as one.
parted_days as (
    select
        party_id,
        greatest(
            business_date,
            min(
                case
                    when gained_count > 0 and is_lasting then business_date
                    else {{ as_of() }}
                end
            ) over (partition by party_id)
        ) as business_date,
        expires_date,
        gained_count,
        used_count
    from entries
),

lots as (
    select
        party_id,
        business_date,
        expires_date,
        {{ sum_integer('gained_count') }} as gained_count
    from parted_days
    where gained_count > 0
    group by party_id, business_date, expires_date
),

expiries as (
    select distinct
        party_id,
        expires_date
    from lots
),

-- Used by the end of the day, as far as there were points; what is owed takes the next ones.
used as (
    select
        party_id,
        business_date,
        least(
            sum(sum(gained_count)) over (partition by party_id order by business_date),
            sum(sum(used_count)) over (partition by party_id order by business_date)
        ) as used_count
    from parted_days
    group by party_id, business_date
),

-- Of a day, what was gained of the lots that expire by a date
gained as (
    select
        expiries.party_id,
        expiries.expires_date,
        used.business_date,
        used.used_count,
        sum(
            case when lots.expires_date <= expiries.expires_date then lots.gained_count else 0 end
        ) as gained_count
    from expiries
    inner join used on expiries.party_id = used.party_id
    left join lots
        on
            used.party_id = lots.party_id
            and used.business_date = lots.business_date
    group by expiries.party_id, expiries.expires_date, used.business_date, used.used_count
),

-- Lots that expire by a date are used before all others while they last. So where this runs below
-- zero, that much came out of later lots, and is no use of these.
levels as (
    select
        party_id,
        expires_date,
        business_date,
        cast(
            sum(gained_count) over (
                partition by party_id, expires_date order by business_date
            ) - used_count as bigint
        ) as level_count
    from gained
),

left_by as (
    select
        party_id,
        expires_date,
        max_by(level_count, business_date) - least(min(level_count), 0) as left_count
    from levels
    group by party_id, expires_date
),

parted as (
    select
        left_by.party_id,
        left_by.expires_date,
        left_by.left_count - lag(left_by.left_count, 1, cast(0 as bigint)) over (
            partition by left_by.party_id order by left_by.expires_date
        ) as left_count,
        to_compute.digest
    from left_by
    inner join to_compute on left_by.party_id = to_compute.party_id
)

select * from parted
where left_count > 0
