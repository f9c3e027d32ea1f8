with

invitations as (
    select * from {{ ref('int_cx__invitations') }}
),

observations as (
    select
        'response_share_' || survey_kind as metric,
        invitation_id as observation_id,
        business_date as metric_date,
        final_date,
        profile_id,
        region,
        channel,
        touchpoint,
        product,
        cast(case when response_id is null then 0 else 1 end as decimal(18, 6)) as value
    from invitations
)

select * from observations
