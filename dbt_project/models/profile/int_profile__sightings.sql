{#- logins carry a login name or a device beside what stands for the person -#}
{%- set logins = {'app_user': 'app_user_token', 'device': 'device_token'} -%}

with

subjects as (
    select * from {{ ref('int_identity__subjects') }}
    where identifier_type <> 'app_user'
),

app_logins as (
    select * from {{ ref('int_identity__app_logins') }}
    where business_date <= {{ as_of() }}
),

-- every event with a login name is among the logins
seen as (
    select
        identifier_type,
        identifier,
        first_seen_date,
        last_seen_date,
        event_count
    from subjects
    {%- for type, token in logins.items() %}
    union all
    select
        '{{ type }}' as identifier_type,
        {{ token }} as identifier,
        min(business_date) as first_seen_date,
        max(business_date) as last_seen_date,
        {{ sum_integer('event_count') }} as event_count
    from app_logins
    where {{ token }} is not null
    group by {{ token }}
    {%- endfor %}
),

sightings as (
    select
        identifier_type,
        identifier,
        min(first_seen_date) as first_seen_date,
        max(last_seen_date) as last_seen_date,
        {{ sum_integer('event_count') }} as event_count
    from seen
    group by identifier_type, identifier
)

select * from sightings
