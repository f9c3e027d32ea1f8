with

entries as (
    {{ points_entries() | indent(4) }}
),

parties as (
    select
        party_id,
        {{ digest_of_rows('entries') }} as digest
    from entries
    group by party_id
)

select * from parties
