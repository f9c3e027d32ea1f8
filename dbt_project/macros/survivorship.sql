{#
  Common table expressions that decide where records of a person disagree (seed survivorship), from
  a CTE records of the columns of keys, source, party_id, updated_at, is_contested and the profile's
  attributes. The last one, decided_attributes, has a row per keys and attribute that any record
  tells: value, source, party_id, observed_at, rule, candidate_count.
#}
{% macro survivors(keys) -%}
{%- set key = keys | join(', ') -%}
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
        {%- for name in keys %}
        r.{{ name }},
        {%- endfor %}
        o.attribute,
        case o.attribute
        {%- for name, type in profile_attributes() %}
            when '{{ name }}' then cast(r.{{ name }} as {{ type_text() }})
        {%- endfor %}
        end as value,
        r.source,
        r.party_id,
        r.updated_at as observed_at,
        {%- for name, type in profile_attributes() %}
        {{ "+ " if not loop.first }}case when r.{{ name }} is null then 0 else 1 end
        {%- endfor %}
            as value_count,
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
            partition by {{ key }}, attribute
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
        {{ key }},
        attribute,
        {%- for column in ['value', 'source', 'party_id', 'observed_at'] %}
        max(case when preference = 1 then {{ column }} end) as {{ column }},
        {%- endfor %}
        case when min(priority) < max(priority) then 'source_priority' else min(rule) end as rule,
        count(distinct value) as candidate_count
    from ranked
    group by {{ key }}, attribute
),

-- most people have one record, and nothing to decide
decided_attributes as (
    select * from decided
    union all
    select
        {{ key }},
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
{%- endmacro %}

{# Whether a relationship is told: not before it begins. #}
{% macro told_attributes() -%}
    {%- for name, type in profile_attributes() if name != 'customer_since_date' %}
        {{ name }},
    {%- endfor %}
        case when customer_since_date <= {{ as_of() }} then customer_since_date end
            as customer_since_date
{%- endmacro %}
