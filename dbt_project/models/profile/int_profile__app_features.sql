with

feature_days as (
    select * from {{ ref('int_app_features__daily') }}
    where
        business_date > {{ days_before_as_of(90) }}
        and business_date <= {{ as_of() }}
),

taxonomy as (
    select
        app_feature,
        max(weight) as weight
    from {{ ref('app_features') }}
    group by app_feature
),

whole as (
    select sum(weight) as weight from taxonomy
),

resolved as (
    {{ with_profile('feature_days') | indent(4) }}
),

counted as (
    select
        profile_id,
        app_feature,
        sum(event_count) as event_count
    from resolved
    group by profile_id, app_feature
),

used as (
    select
        c.*,
        t.weight
    from counted as c
    left join taxonomy as t on c.app_feature = t.app_feature
),

app_features as (
    select
        used.profile_id,
        {{ count_if('used.weight > 0') }} as app_feature_90d_count,
        {{ distinct_list('case when used.weight > 0 then used.app_feature end') }} as app_features,
        {{ divide('coalesce(sum(used.weight), 0)', 'max(whole.weight)') }}
            as app_feature_weight_90d_share,
        {{ sum_integer('case when used.weight is null then used.event_count else 0 end') }}
            as app_event_unknown_90d_count
    from used
    cross join whole
    group by used.profile_id
)

select * from app_features
