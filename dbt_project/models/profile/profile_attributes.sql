{#- the one place that decides where party records of a person disagree (seed survivorship) -#}
{%- set names = profile_attributes() | map('first') | list -%}

with

-- a relationship that begins after as_of is not told before
parties as (
    select
        party_id,
        source,
        updated_at,
        {%- for name in names if name != 'customer_since_date' %}
        {{ name }},
        {%- endfor %}
        case when customer_since_date <= {{ as_of() }} then customer_since_date end
            as customer_since_date
    from {{ ref('stg_parties') }}
    where is_current
),

records as (
    select
        g.profile_id,
        p.*,
        h.party_count > 1 as is_contested,
        {%- for name in names %}
        {{ "+ " if not loop.first }}case when p.{{ name }} is null then 0 else 1 end
        {%- endfor %}
            as value_count
    from parties as p
    inner join {{ source('identity', 'party_groups') }} as g on p.party_id = g.party_id
    inner join {{ ref('int_profile__people') }} as h on g.profile_id = h.profile_id
),

sources as (
    select distinct source from records
),

priorities as (
    select
        o.source,
        s.attribute,
        s.rule,
        min(s.priority) as priority
    from sources as o
    inner join {{ ref('survivorship') }} as s on o.source like s.source
    group by o.source, s.attribute, s.rule
),

offered as (
    select
        r.profile_id,
        o.attribute,
        case o.attribute
        {%- for name in names %}
            when '{{ name }}' then cast(r.{{ name }} as {{ type_text() }})
        {%- endfor %}
        end as value,
        r.source,
        r.party_id,
        r.updated_at as observed_at,
        r.value_count,
        r.is_contested,
        o.priority,
        o.rule
    from records as r
    inner join priorities as o on r.source = o.source
),

ranked as (
    select
        *,
        row_number() over (
            partition by profile_id, attribute
            order by
                priority,
                case when rule <> 'most_recent' then value end nulls last,
                observed_at desc nulls last,
                value_count desc,
                party_id
        ) as preference
    from offered
    where
        value is not null
        and is_contested
),

decided as (
    select
        profile_id,
        attribute,
        {%- for column in ['value', 'source', 'party_id', 'observed_at'] %}
        max(case when preference = 1 then {{ column }} end) as {{ column }},
        {%- endfor %}
        case when min(priority) < max(priority) then 'source_priority' else min(rule) end as rule,
        count(distinct value) as candidate_count
    from ranked
    group by profile_id, attribute
),

-- most people have one record, and nothing to decide
profile_attributes as (
    select * from decided
    union all
    select
        profile_id,
        attribute,
        value,
        source,
        party_id,
        observed_at,
        rule,
        1 as candidate_count
    from offered
    where
        value is not null
        and not is_contested
)

select * from profile_attributes
