-- A row returned is a person whose last period of history differs from the profile, or has none.
{%- set names = [
    'is_organisation',
    'party_status',
    'gender',
    'birth_year',
    'city',
    'region',
    'branch_id',
    'customer_since_date',
    'has_marketing_consent',
] %}
with

profiles as (
    select * from {{ ref('customer_profile') }}
    where identified_by = 'party'
),

history as (
    select * from {{ ref('customer_profile_history') }}
    where valid_to is null
)

select
    profiles.profile_id,
    history.valid_from
from profiles
left join history on profiles.profile_id = history.profile_id
where
    {%- for name in names %}
    {{ "or " if not loop.first }}profiles.{{ name }} is distinct from history.{{ name }}
    {%- endfor %}
