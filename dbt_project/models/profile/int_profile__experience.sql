with

answers as (
    select * from {{ ref('int_cx__answers') }}
),

-- NPS is told as scored, 0 to 10; the others from 0 to 100 of their scale, 100 the best
told as (
    select
        profile_id,
        question_family,
        business_date,
        case
            when question_family = 'nps' then cast(score as decimal(18, 6))
            else cast({{ divide('100 * points', 'best_points') }} as decimal(18, 6))
        end as told_score,
        row_number() over (
            partition by profile_id, question_family
            order by responded_at desc, response_id desc
        ) as recency,
        business_date > {{ days_before_as_of(365) }} as is_in_year
    from answers
),

by_family as (
    select
        profile_id,
        question_family as family,
        max(case when recency = 1 then told_score end) as last_score,
        max(business_date) as last_answer_date,
        min(business_date) as first_answer_date,
        sum(case when is_in_year then told_score end) as score_sum,
        count(case when is_in_year then 1 end) as answer_count,
        count(*) as answer_lifetime_count
    from told
    group by profile_id, question_family
),

pivoted as (
    select
        profile_id,
        {%- for family in question_families() %}
        max(case when family = '{{ family }}' then cast(last_score as double) end)
            as {{ family }}_last_score,
        max(case when family = '{{ family }}' then {{ average('score_sum', 'answer_count') }} end)
            as {{ family }}_mean_365d_score,
        max(case when family = '{{ family }}' then answer_count end)
            as {{ family }}_answer_365d_count,
        max(case when family = '{{ family }}' then last_answer_date end)
            as {{ family }}_last_answer_date,
        {%- endfor %}
        min(first_answer_date) as first_answer_date,
        max(last_answer_date) as last_answer_date,
        {{ sum_integer('answer_lifetime_count') }} as answer_lifetime_count
    from by_family
    group by profile_id
)

select * from pivoted
