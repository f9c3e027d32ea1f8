-- A row returned is a handled call whose legs do not add up to its own seconds, which stay its
-- handling time: a leg is missing, came twice, or is measured otherwise than the call.
{{ config(severity='warn') }}

select
    call_id,
    measured_handle_seconds,
    leg_seconds
from {{ ref('int_cx__calls') }}
where
    outcome = 'handled'
    and leg_count > 0
    and leg_seconds is distinct from measured_handle_seconds
