with

attributes as (
    select * from {{ ref('profile_attributes') }}
),

pivoted as (
    select
        profile_id
        {%- for name, type in profile_attributes() -%}
        ,
        cast(max(case when attribute = '{{ name }}' then value end) as {{ type }}) as {{ name }}
        {%- endfor %}
    from attributes
    group by profile_id
)

select * from pivoted
