with

messages as (
    select
        *,
        1 as sent_count,
        case when delivered_at is not null then 1 else 0 end as delivered_count,
        case when converted_at is not null then 1 else 0 end as converted_count
    from {{ ref('int_outreach__messages') }}
),

summed as (
    select
        profile_id,
        {{- window_sums(outreach_measures()) }}
        max(sent_at) as last_outreach_at
    from messages
    group by profile_id
),

shares as (
    select
        *,
        {%- for days in outreach_windows() %}
        {{ divide(
            'outreach_delivered_' ~ days ~ 'd_count',
            'outreach_' ~ days ~ 'd_count',
        ) }} as outreach_reach_{{ days }}d_share,
        {{ divide(
            'outreach_converted_' ~ days ~ 'd_count',
            'outreach_delivered_' ~ days ~ 'd_count',
        ) }} as outreach_conversion_{{ days }}d_share
        {{- "," if not loop.last }}
        {%- endfor %}
    from summed
)

select * from shares
