with

topic_days as (
    select * from {{ ref('topics_daily') }}
    where language = '(all)'
),

days as (
    select
        topic,
        business_date,
        state,
        {{ topic_rule('opens_after') | int }} as opens_after,
        {{ topic_rule('closes_after') | int }} as closes_after,
        {{ topic_rule('reopens_within_days') | int }} as reopens_within_days
    from topic_days
),

{{ episodes(['topic']) }},

hot_topics as (
    select
        e.topic,
        e.opened_date,
        e.first_breach_date,
        e.last_breach_date,
        e.closed_date,
        e.closed_date is null as is_open,
        e.breach_day_count,
        e.reopened_count,
        e.reopened_date,
        max(d.text_count) as peak_text_count,
        {{ sum_integer('d.text_count') }} as text_count,
        {{ divide('sum(d.negative_count)', 'sum(d.text_count)') }} as negative_share
    from episodes as e
    inner join topic_days as d
        on
            e.topic = d.topic
            and e.first_breach_date <= d.business_date
            and e.last_breach_date >= d.business_date
    group by
        e.topic,
        e.opened_date,
        e.first_breach_date,
        e.last_breach_date,
        e.closed_date,
        e.breach_day_count,
        e.reopened_count,
        e.reopened_date
)

select * from hot_topics
