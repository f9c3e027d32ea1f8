with

topic_days as (
    select * from {{ ref('int_words__topic_days') }}
),

-- terms of a tail, which fall to nothing long before
terms as (
    select number from {{ numbers(200) }}
),

-- a topic not named at all in the days before is expected once in as many
usual as (
    select
        *,
        greatest(baseline_text_count, 1) as usual_text_count
    from topic_days
),

expected as (
    select
        *,
        {{ average('baseline_text_count', 'baseline_day_count') }} as baseline_count,
        {{ divide('usual_text_count', 'baseline_day_count', 9) }} as expected_count
    from usual
),

over_baseline as (
    select * from expected
    where
        not is_hidden
        and 100 * text_count * baseline_day_count
        > (100 + {{ topic_rule('percent_over') }}) * usual_text_count
),

tails as (
    select
        o.topic,
        o.business_date,
        o.language,
        {{ round_double(
            'sum(' ~ poisson_chance('(o.text_count + t.number)', 'o.expected_count') ~ ')',
            9,
        ) }} as tail_probability
    from over_baseline as o
    cross join terms as t
    group by o.topic, o.business_date, o.language
),

topics as (
    select
        e.topic,
        e.business_date,
        e.language,
        e.is_hidden,
        case when not e.is_hidden then e.text_count end as text_count,
        case when not e.is_hidden then e.negative_count end as negative_count,
        case when not e.is_hidden then {{ divide('e.negative_count', 'e.text_count') }} end
            as negative_share,
        case when not e.is_hidden then e.read_count end as read_count,
        e.baseline_count,
        e.baseline_day_count,
        e.baseline_hidden_day_count,
        -- (n - b) over the root of b, of whole numbers: b is a sum over days
        case
            when not e.is_hidden
                then {{ divide(
                    'e.text_count * e.baseline_day_count - e.baseline_text_count',
                    'sqrt(e.baseline_text_count * e.baseline_day_count)',
                ) }}
        end as z_score,
        t.tail_probability,
        case
            when e.baseline_day_count < {{ topic_rule('least_baseline_days') }} then null
            when
                e.text_count >= {{ topic_rule('least_count') }}
                and t.tail_probability < {{ topic_rule('tail_probability') }}
                then 'breach'
            when
                e.read_count >= {{ topic_rule('least_read_count') }}
                and 100 * e.judged_count * e.baseline_day_count
                <= (100 + {{ topic_rule('clear_percent') }}) * e.usual_text_count
                then 'clear'
        end as state
    from expected as e
    left join tails as t
        on
            e.topic = t.topic
            and e.business_date = t.business_date
            and e.language = t.language
)

select * from topics
