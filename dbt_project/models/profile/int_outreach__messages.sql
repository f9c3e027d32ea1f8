with

outreach as (
    select * from {{ ref('stg_outreach') }}
),

messages as (
    {{ with_profile('outreach') | indent(4) }}
)

select * from messages
