{%- set is_fed = 'feeds.has_app_events or feeds.has_transactions' -%}
{#- parts of the index: rule that weighs it, value from 0 to 1, whether its feeds are there -#}
{%- set parts = [
    ['adoption_feature_points', 'app_feature_weight_90d_share', 'feeds.has_app_events'],
    ['adoption_stickiness_points', 'app_stickiness_30d_share', 'feeds.has_app_events'],
    ['adoption_channel_points', 'digital_90d_share', '(' ~ is_fed ~ ')'],
] -%}

with

person as (
    select * from {{ ref('int_profile__person') }}
    where profile_id <> 'unattributed'
),

feeds as (
    select * from {{ ref('int_profile__fed') }}
),

rules as (
    select * from {{ ref('int_profile__rules') }}
),

app as (
    select * from {{ ref('int_profile__app') }}
),

channels as (
    select * from {{ ref('int_profile__channels') }}
),

-- who used no channel has no share of it, and the rest of the index speaks
used as (
    select
        person.profile_id,
        app.last_login_at is not null
        or coalesce(channels.digital_day_90d_count, 0) > 0 as can_bank_digitally,
        coalesce(channels.digital_day_90d_count, 0) as digital_day_count,
        coalesce(channels.assisted_day_90d_count, 0) as assisted_day_count,
        {{ divide('channels.digital_day_90d_count', 'channels.channel_day_90d_count') }}
            as digital_90d_share,
        {{ zero_where_fed('app.app_feature_weight_90d_share', 'app_events', 'double') }}
            as app_feature_weight_90d_share,
        {{ zero_where_fed('app.app_active_day_30d_count', 'app_events') }}
            as app_active_day_30d_count
    from person
    cross join feeds
    left join app on person.profile_id = app.profile_id
    left join channels on person.profile_id = channels.profile_id
),

shares as (
    select
        *,
        {{ divide('app_active_day_30d_count', 30) }} as app_stickiness_30d_share
    from used
),

weighted as (
    select
        used.*,
        {{ is_fed }} as is_known,
        used.can_bank_digitally
        and used.assisted_day_count >= rules.migration_assisted_days_from
        and 100 * used.assisted_day_count
        >= rules.migration_assisted_percent_from
        * (used.assisted_day_count + used.digital_day_count) as is_candidate,
        {%- for weight, value, is_there in parts %}
        case
            when
                used.{{ value }} is not null
                and {{ is_there }}
                then rules.{{ weight }}
        end as {{ weight }}
        {{- "," if not loop.last }}
        {%- endfor %}
    from shares as used
    cross join feeds
    cross join rules
),

digital as (
    select
        profile_id,
        app_active_day_30d_count > 0 as is_app_active_30d,
        app_stickiness_30d_share,
        {%- set values, weights = [], [] %}
        {%- for weight, value, is_there in parts %}
        {%- do values.append('coalesce(' ~ weight ~ ' * ' ~ value ~ ', 0)') %}
        {%- do weights.append('coalesce(' ~ weight ~ ', 0)') %}
        {%- endfor %}
        {{ divide('100 * (' ~ values | join(' + ') ~ ')', weights | join(' + '), 1) }}
            as digital_adoption_index,
        case when is_known then is_candidate end as is_digital_migration_candidate
    from weighted
)

select * from digital
