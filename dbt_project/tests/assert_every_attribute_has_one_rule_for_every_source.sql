-- A row returned is an attribute of the profile that seed survivorship has no row for every source
-- (%) for, or several rules, or one that no profile has.
with

attributes as (
    {%- for name, type in profile_attributes() %}
    select '{{ name }}' as attribute
    {{ "union all" if not loop.last }}
    {%- endfor %}
),

decided as (
    select
        attribute,
        bool_or(source = '%') as is_for_every_source,
        count(distinct rule) as rule_count
    from {{ ref('survivorship') }}
    group by attribute
)

select
    attributes.attribute,
    decided.attribute as decided_attribute,
    decided.rule_count
from attributes
full outer join decided on attributes.attribute = decided.attribute
where
    attributes.attribute is null
    or decided.attribute is null
    or not decided.is_for_every_source
    or decided.rule_count > 1
