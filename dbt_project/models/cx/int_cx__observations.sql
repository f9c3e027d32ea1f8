with

surveys as (
    select * from {{ ref('int_cx__survey_observations') }}
),

service as (
    select * from {{ ref('int_cx__service_observations') }}
),

regions as (
    select * from {{ ref('int_cx__person_regions') }}
),

observations as (
    select * from surveys
    union all
    select * from service
),

placed as (
    select
        o.metric,
        o.observation_id,
        o.metric_date,
        o.final_date,
        o.profile_id,
        -- an observation without a person is a person of its own
        case
            when o.profile_id = 'unattributed' then 'nobody:' || o.observation_id
            else o.profile_id
        end as person_key,
        coalesce(o.channel, '(unknown)') as channel,
        coalesce(o.region, r.region, '(unknown)') as region,
        coalesce(o.product, '(unknown)') as product,
        o.value,
        o.nps_class,
        o.is_counted,
        o.is_left_out
    from observations as o
    left join regions as r
        on
            o.profile_id = r.profile_id
            and o.metric_date = r.business_date
)

select * from placed
