-- A row returned is a day of a topic of which a figure is told that tells of persons, or that is
-- hidden in one language only: the difference would tell it. Or an episode of so few texts.
with

topics as (
    select
        t.*,
        r.identifying_below_n,
        {{ count_if("t.language <> '(all)' and t.is_hidden") }} over (
            partition by t.topic, t.business_date
        ) as hidden_count,
        {{ count_if("t.language <> '(all)' and not t.is_hidden") }} over (
            partition by t.topic, t.business_date
        ) as told_count
    from {{ ref('topics_daily') }} as t
    cross join {{ ref('int_cx__rules') }} as r
),

days as (
    select
        topic,
        business_date,
        language
    from topics
    where
        (text_count > 0 and text_count < identifying_below_n)
        or read_count < identifying_below_n
        or (is_hidden and coalesce(text_count, negative_count, read_count) is not null)
        or (is_hidden and coalesce(negative_share, z_score, tail_probability) is not null)
        or (hidden_count > 0 and told_count > 0)
),

episodes as (
    select
        h.topic,
        h.opened_date as business_date,
        '(all)' as language
    from {{ ref('hot_topics') }} as h
    cross join {{ ref('int_cx__rules') }} as r
    where h.peak_text_count < r.identifying_below_n
)

select * from days
union all
select * from episodes
