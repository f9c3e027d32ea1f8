-- A row returned is a value of profile_attributes that customer_profile shows otherwise or not at
-- all, or one of its columns that nothing stands behind.
{%- set columns = {
    'party_type': "case when is_organisation then 'organisation' else 'person' end",
    'status': 'party_status',
} %}
with

profiles as (
    select * from {{ ref('customer_profile') }}
    where identified_by = 'party'
),

shown as (
    {%- for name, type in profile_attributes() %}
    select
        profile_id,
        '{{ name }}' as attribute,
        cast({{ columns.get(name, name) }} as {{ type_text() }}) as value
    from profiles
    {{ "union all" if not loop.last }}
    {%- endfor %}
),

attributes as (
    select * from {{ ref('profile_attributes') }}
)

select
    attributes.profile_id,
    attributes.attribute,
    attributes.value,
    shown.profile_id as shown_profile_id,
    shown.attribute as shown_attribute,
    shown.value as shown_value
from attributes
full outer join shown
    on
        attributes.profile_id = shown.profile_id
        and attributes.attribute = shown.attribute
where attributes.value is distinct from shown.value
