with

rules as (
    {{ in_force('persona_rules', 'persona') | indent(4) }}
),

persona_rules as (
    select
        {%- for persona in personas() %}
        max(case when persona = '{{ persona }}' then threshold end) as {{ persona }}
        {{- "," if not loop.last }}
        {%- endfor %}
    from rules
)

select * from persona_rules
