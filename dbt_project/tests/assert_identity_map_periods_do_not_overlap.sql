-- A returned row is an identifier that belongs to two profiles on one day, or an empty period.
with

periods as (
    select
        *,
        lead(valid_from) over (
            partition by identifier_type, identifier
            order by valid_from, valid_to, profile_id
        ) as next_from
    from {{ ref('identity_map') }}
)

select *
from periods
where
    next_from < valid_to
    or valid_from >= valid_to
