{%- set relations = [
    'int_identity__login_periods',
    'int_identity__contact_periods',
] -%}

with

parties as (
    select
        'party' as identifier_type,
        party_id as identifier,
        {{ beginning_of_time() }} as valid_from,
        {{ end_of_time() }} as valid_to,
        profile_id
    from {{ source('identity', 'party_groups') }}
),

prospects as (
    select
        identifier_type,
        identifier,
        {{ beginning_of_time() }} as valid_from,
        {{ end_of_time() }} as valid_to,
        profile_id
    from {{ ref('int_identity__prospects') }}
),

{% for relation in relations -%}
{{ relation }} as (
    select
        identifier_type,
        identifier,
        valid_from,
        valid_to,
        profile_id
    from {{ ref(relation) }}
    where profile_id is not null
),

{% endfor -%}

identity_map as (
    select * from parties
    {%- for relation in ['prospects'] + relations %}
    union all
    select * from {{ relation }}
    {%- endfor %}
)

select * from identity_map
