with

touchpoints as (
    {%- for what in [
        'transactions', 'app_sessions', 'calls', 'answers', 'complaints', 'outreach',
    ] %}
    select * from {{ ref('int_touchpoints__' ~ what) }}
    {{ "union all" if not loop.last }}
    {%- endfor %}
)

select * from touchpoints
