{{ config(
    materialized='incremental',
    incremental_strategy='run_scope',
    meta={'feed': 'points_entries', 'key': 'entry_id'},
) }}

with

winners as (
    {{ event_winners('points_entries', key='entry_id', day='booked_date') | indent(4) }}
),

points_entries as (
    select
        entry_id,
        party_id,
        booked_date,
        points,
        entry_type,
        expires_date,
        reference,
        business_date,
        source,
        arrival_number
    from winners
)

select * from points_entries
