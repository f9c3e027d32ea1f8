{%- set names = profile_attributes() | map('first') | list -%}
with

-- no longer than a day: of several versions of one day the last speaks for it
parties as (
    select
        party_id,
        source,
        updated_at,
        valid_from,
        coalesce(valid_to, {{ end_of_time() }}) as valid_to,
        {{- told_attributes() }}
    from {{ ref('stg_parties') }}
    where
        valid_from <= {{ as_of() }}
        and coalesce(valid_to > valid_from, true)
),

members as (
    select
        g.profile_id,
        p.*,
        h.party_count > 1 as is_contested
    from parties as p
    inner join {{ source('identity', 'party_groups') }} as g on p.party_id = g.party_id
    inner join {{ ref('int_profile__people') }} as h on g.profile_id = h.profile_id
),

-- the days on which a record of the person changed, and the records of each
changes as (
    select distinct
        profile_id,
        valid_from as changed_date
    from members
),

records as (
    select
        m.*,
        c.changed_date
    from changes as c
    inner join members as m
        on
            c.profile_id = m.profile_id
            and c.changed_date >= m.valid_from
            and c.changed_date < m.valid_to
),

{{ survivors(['profile_id', 'changed_date']) }},

pivoted as (
    select
        profile_id,
        changed_date
        {%- for name, type in profile_attributes() -%}
        ,
        cast(max(case when attribute = '{{ name }}' then value end) as {{ type }}) as {{ name }}
        {%- endfor %}
    from decided_attributes
    group by profile_id, changed_date
),

compared as (
    select
        *,
        lag(changed_date) over (partition by profile_id order by changed_date) is null as is_first,
        {%- for name in names %}
        lag({{ name }}) over (partition by profile_id order by changed_date) as last_{{ name }}
        {{- "," if not loop.last }}
        {%- endfor %}
    from pivoted
),

-- a new version that says nothing new of these is no change
changed as (
    select * from compared
    where
        is_first
        {%- for name in names %}
        or {{ name }} is distinct from last_{{ name }}
        {%- endfor %}
),

customer_profile_history as (
    select
        profile_id,
        changed_date as valid_from,
        lead(changed_date) over (partition by profile_id order by changed_date) as valid_to,
        party_type = 'organisation' as is_organisation,
        status as party_status,
        {%- for name in names if name not in ['party_type', 'status'] %}
        {{ name }}
        {{- "," if not loop.last }}
        {%- endfor %}
    from changed
)

select * from customer_profile_history
