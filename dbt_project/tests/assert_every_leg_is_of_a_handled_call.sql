-- A row returned is a call that has legs and is not known, or was not handled: its legs are kept
-- and in nobody's handling time.
{{ config(severity='warn') }}

select
    l.call_id,
    c.outcome,
    count(*) as leg_count
from {{ ref('int_cx__call_legs') }} as l
left join {{ ref('int_cx__calls') }} as c on l.call_id = c.call_id
where c.outcome is distinct from 'handled'
group by l.call_id, c.outcome
