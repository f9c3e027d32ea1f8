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

-- one to four texts tell of persons, and so does whatever is said of a day's one to four
small as (
    select
        t.*,
        r.identifying_below_n,
        t.read_count < r.identifying_below_n
        or (t.text_count > 0 and t.text_count < r.identifying_below_n) as is_small
    from topic_days as t
    cross join {{ ref('int_cx__rules') }} as r
),

-- (all) less the one language is the other: where one is hidden both are
hidden as (
    select
        *,
        is_small
        or (
            language <> '(all)'
            and {{ count_if("is_small and language <> '(all)'") }} over (
                partition by topic, business_date
            ) > 0
        ) as is_hidden
    from small
),

-- what a day counts as in what is told of it and of later days: nothing that is hidden, or the
-- difference of two baselines would tell it; one to four are the middle of them, rounded up
judged as (
    select
        *,
        case
            when not is_hidden then text_count
            when language = '(all)' and read_count >= identifying_below_n
                then cast(ceil(identifying_below_n * 0.5) as bigint)
        end as judged_count
    from hidden
),

counted as (
    select
        *,
        {{ sum_over_baseline('judged_count') }} as baseline_text_count,
        {{ sum_over_baseline('case when judged_count is not null then 1 end') }}
            as baseline_day_count,
        {{ sum_over_baseline('case when is_hidden and judged_count is not null then 1 end') }}
            as baseline_hidden_day_count
    from judged
)

select * from counted
