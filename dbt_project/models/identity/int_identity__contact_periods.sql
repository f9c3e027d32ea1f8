with

holdings as (
    select * from {{ ref('int_identity__contact_holdings') }}
),

limits as (
    select * from {{ ref('identifier_limits') }}
),

days_of_change as (
    select
        identifier_type,
        identifier,
        valid_from as day
    from holdings
    union
    select
        identifier_type,
        identifier,
        valid_to as day
    from holdings
),

-- Who holds it from a day of change on. A day after which nobody does is no row, so that the
-- last holder keeps it.
states as (
    select
        days_of_change.identifier_type,
        days_of_change.identifier,
        days_of_change.day,
        count(distinct holdings.profile_id) as holder_count,
        min(holdings.profile_id) as first_profile_id
    from days_of_change
    inner join holdings
        on
            days_of_change.identifier_type = holdings.identifier_type
            and days_of_change.identifier = holdings.identifier
            and days_of_change.day >= holdings.valid_from
            and days_of_change.day < holdings.valid_to
    group by days_of_change.identifier_type, days_of_change.identifier, days_of_change.day
),

judged as (
    select
        states.identifier_type,
        states.identifier,
        states.day,
        states.holder_count,
        states.first_profile_id,
        case
            when states.holder_count > limits.max_holders then 'shared_widely'
            when states.holder_count > 1 then 'several_holders'
        end as reason
    from states
    left join limits
        on states.identifier_type = limits.identifier_type
),

marked as (
    select
        *,
        case when reason is null then first_profile_id end as profile_id,
        coalesce(
            lag(coalesce(reason, first_profile_id)) over identifier_days
            = coalesce(reason, first_profile_id)
            and lag(holder_count) over identifier_days = holder_count,
            false
        ) as is_same
    from judged
    window identifier_days as (partition by identifier_type, identifier order by day)
),

-- The first holder has it from the beginning of time; each state lasts until the next.
contact_periods as (
    select
        identifier_type,
        identifier,
        case
            when lag(day) over identifier_days is null then {{ beginning_of_time() }}
            else day
        end as valid_from,
        coalesce(lead(day) over identifier_days, {{ end_of_time() }}) as valid_to,
        holder_count,
        profile_id,
        reason
    from marked
    where not is_same
    window identifier_days as (partition by identifier_type, identifier order by day)
)

select * from contact_periods
