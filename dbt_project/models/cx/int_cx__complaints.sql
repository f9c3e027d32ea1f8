with

complaints as (
    select * from {{ ref('stg_complaints') }}
),

received as (
    select
        *,
        received_date as business_date
    from complaints
    where received_date <= {{ as_of() }}
),

resolved as (
    {{ with_profile('received') | indent(4) }}
)

select * from resolved
