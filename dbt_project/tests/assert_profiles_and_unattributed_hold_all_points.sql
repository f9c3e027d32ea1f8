-- A row returned is a figure of the points ledger that the profiles and the unattributed row do
-- not add up to: all entries accepted, or what expires soon.
{%- set windows = points_windows() %}
with

entries as (
    select * from {{ ref('stg_points_entries') }}
    where business_date <= {{ as_of() }}
),

points_left as (
    select * from {{ ref('int_points__left') }}
    where expires_date > {{ as_of() }}
),

profiles as (
    select * from {{ ref('customer_profile') }}
),

booked as (
    select
        'balance' as figure,
        sum(points) as points_count
    from entries
    {%- for days in windows %}
    union all
    select
        '{{ days }} days' as figure,
        sum(left_count) as points_count
    from points_left
    where expires_date <= {{ add_days(as_of(), days) }}
    {%- endfor %}
),

held as (
    select
        'balance' as figure,
        sum(points_balance_count) as points_count
    from profiles
    {%- for days in windows %}
    union all
    select
        '{{ days }} days' as figure,
        sum(points_expiring_{{ days }}d_count) as points_count
    from profiles
    {%- endfor %}
)

select
    booked.figure,
    booked.points_count,
    held.points_count as held_count
from booked
inner join held on booked.figure = held.figure
where coalesce(booked.points_count, 0) <> coalesce(held.points_count, 0)
