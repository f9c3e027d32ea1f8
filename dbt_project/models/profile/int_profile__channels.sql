with

channel_days as (
    select * from {{ ref('int_profile__channel_days') }}
),

counted as (
    select
        profile_id,
        channel,
        is_choice,
        priority,
        count(*) as day_count,
        max(business_date) as last_used_date
    from channel_days
    group by profile_id, channel, is_choice, priority
),

-- most days; then the most recent; then the order the seed gives
ranked as (
    select
        *,
        row_number() over (
            partition by profile_id
            order by is_choice desc, day_count desc, last_used_date desc, priority, channel
        ) as preference
    from counted
),

shares as (
    select
        profile_id,
        cast(sum(day_count) as bigint) as channel_day_90d_count,
        {%- for channel in contact_channels() %}
        {{ divide(
            "sum(case when channel = '" ~ channel ~ "' then day_count else 0 end)",
            'sum(day_count)',
        ) }} as {{ channel }}_90d_share,
        {%- endfor %}
        {%- for kind, channels in {
            'digital': digital_channels(),
            'assisted': assisted_channels(),
        }.items() %}
        {{ sum_integer(
            "case when channel in ('" ~ channels | join("', '") ~ "') then day_count else 0 end"
        ) }} as {{ kind }}_day_90d_count,
        {%- endfor %}
        max(case when preference = 1 and is_choice then channel end) as preferred_channel
    from ranked
    group by profile_id
)

select * from shares
