{#- the one place that decides where party records of a person disagree (seed survivorship) -#}
{%- set names = profile_attributes() | map('first') | list -%}

with

survivorship as (
    select * from {{ ref('survivorship') }}
),

party_groups as (
    select * from {{ source('identity', 'party_groups') }}
),

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
        {%- for name in names %}
        {{ "+ " if not loop.first }}case when p.{{ name }} is null then 0 else 1 end
        {%- endfor %}
            as value_count
    from parties as p
    inner join party_groups as g on p.party_id = g.party_id
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
    inner join survivorship as s on o.source like s.source
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
        r.updated_at,
        r.value_count,
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
                updated_at desc nulls last,
                value_count desc,
                party_id
        ) as preference
    from offered
    where value is not null
),

profile_attributes as (
    select
        profile_id,
        attribute,
        max(case when preference = 1 then value end) as value,
        max(case when preference = 1 then source end) as source,
        max(case when preference = 1 then party_id end) as party_id,
        max(case when preference = 1 then updated_at end) as observed_at,
        case when min(priority) < max(priority) then 'source_priority' else min(rule) end as rule,
        count(distinct value) as candidate_count
    from ranked
    group by profile_id, attribute
)

select * from profile_attributes
