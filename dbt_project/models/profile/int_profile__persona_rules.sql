with

in_force as (
    select
        *,
        row_number() over (
            partition by persona
            order by valid_from desc
        ) as recency
    from {{ ref('persona_rules') }}
    where valid_from <= {{ as_of() }}
),

persona_rules as (
    select
        {%- for persona in personas() %}
        max(case when persona = '{{ persona }}' then threshold end) as {{ persona }}
        {{- "," if not loop.last }}
        {%- endfor %}
    from in_force
    where recency = 1
)

select * from persona_rules
