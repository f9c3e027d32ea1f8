{{ config(
    materialized='incremental',
    incremental_strategy='run_scope',
    meta={'feed': 'survey_responses'},
) }}

with

answers as (
    select *
    from {{ ref('stg_survey_responses') }}
    where
        score is not null
        and {{ in_scope('survey_responses', 'business_date') }}
),

nps_points as (
    select
        max(case when rule = 'nps_promoter_from' then value end) as promoter_from,
        max(case when rule = 'nps_detractor_to' then value end) as detractor_to
    from {{ ref('cx_rules') }}
),

judged as (
    select
        answers.*,
        case
            when answers.question_family <> 'nps' then 'other'
            when answers.score >= nps_points.promoter_from then 'promoter'
            when answers.score <= nps_points.detractor_to then 'detractor'
            else 'passive'
        end as answer_class
    from answers
    cross join nps_points
),

surveys_daily as (
    select
        subject_type,
        subject,
        business_date,
        question_family,
        survey_kind,
        scale_min,
        scale_max,
        is_high_good,
        count(*) as answer_count,
        {{ sum_integer('score') }} as score_sum,
        {{ count_if("answer_class = 'promoter'") }} as promoter_count,
        {{ count_if("answer_class = 'passive'") }} as passive_count,
        {{ count_if("answer_class = 'detractor'") }} as detractor_count,
        max(responded_at) as last_at
    from judged
    group by
        subject_type,
        subject,
        business_date,
        question_family,
        survey_kind,
        scale_min,
        scale_max,
        is_high_good
)

select * from surveys_daily
