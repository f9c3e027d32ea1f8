with

sentiments as (
    select * from {{ ref('text_sentiments') }}
    where language is not null
),

aspects as (
    select * from {{ ref('text_aspects') }}
),

topics as (
    select distinct aspect as topic from {{ ref('text_aspect_terms') }}
),

read_days as (
    select
        business_date,
        '(all)' as language,
        count(*) as read_count
    from sentiments
    group by business_date
    union all
    select
        business_date,
        language,
        count(*) as read_count
    from sentiments
    group by business_date, language
),

counts as (
    select
        business_date,
        '(all)' as language,
        aspect as topic,
        count(*) as text_count,
        {{ count_if('polarity < 0') }} as negative_count
    from aspects
    group by business_date, aspect
    union all
    select
        business_date,
        language,
        aspect as topic,
        count(*) as text_count,
        {{ count_if('polarity < 0') }} as negative_count
    from aspects
    group by business_date, language, aspect
),

-- a day without a text to read has no row: it is no day on which a topic was quiet
topic_days as (
    select
        t.topic,
        d.business_date,
        d.language,
        d.read_count,
        coalesce(c.text_count, 0) as text_count,
        coalesce(c.negative_count, 0) as negative_count,
        {{ days_between(beginning_of_time(), 'd.business_date') }} as day_number
    from read_days as d
    cross join topics as t
    left join counts as c
        on
            d.business_date = c.business_date
            and d.language = c.language
            and t.topic = c.topic
),

counted as (
    select
        *,
        {{ sum_over_baseline('text_count') }} as baseline_text_count,
        {{ sum_over_baseline('1') }} as baseline_day_count
    from topic_days
)

select * from counted
