with

identity_map as (
    select * from {{ ref('identity_map') }}
),

-- the strongest kind of identifier that leads to it
known as (
    select
        profile_id,
        case
            {%- for type in ['party', 'app_user', 'email', 'phone', 'device'] %}
            when bool_or(identifier_type = '{{ type }}') then '{{ type }}'
            {%- endfor %}
        end as identified_by
    from identity_map
    group by profile_id
),

spine as (
    select * from known
    union all
    select
        'unattributed' as profile_id,
        cast(null as {{ type_text() }}) as identified_by
)

select * from spine
