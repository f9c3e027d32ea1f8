with

responses as (
    select * from {{ ref('stg_survey_responses') }}
),

rules as (
    select * from {{ ref('int_cx__rules') }}
),

ces_versions as (
    select * from {{ ref('cx_ces_versions') }}
),

given as (
    select * from responses
    where
        score is not null
        and business_date <= {{ as_of() }}
),

resolved as (
    {{ with_profile('given') | indent(4) }}
),

-- points counted from the worst of the scale, 0, so that every direction reads alike
placed as (
    select
        *,
        case when is_high_good then score - scale_min else scale_max - score end as points,
        scale_max - scale_min as best_points,
        row_number() over (
            partition by
                case
                    when profile_id = 'unattributed' then 'answer:' || response_id
                    else profile_id
                end,
                question_id,
                business_date
            order by responded_at desc, response_id desc
        ) = 1 as is_latest_of_day
    from resolved
),

judged as (
    select
        a.*,
        a.question_family = 'nps' and a.score >= r.nps_promoter_from as is_promoter,
        a.question_family = 'nps' and a.score <= r.nps_detractor_to as is_detractor,
        a.question_family = 'csat'
        and a.points > a.best_points - r.csat_top_points as is_top_two,
        cast(
            r.csat_reference_min
            + {{ divide(
                'a.points * (r.csat_reference_max - r.csat_reference_min)',
                'a.best_points',
            ) }}
            as decimal(18, 6)
        ) as reference_score,
        v.version as ces_version,
        a.score between v.low_effort_from and v.low_effort_to as is_low_effort,
        case
            when a.question_family = 'nps' then a.score <= r.nps_detractor_to
            else a.points < r.negative_points
        end as is_negative
    from placed as a
    cross join rules as r
    left join ces_versions as v
        on
            a.question_family = 'ces'
            and a.scale_min = v.scale_min
            and a.scale_max = v.scale_max
            and a.is_high_good = v.is_high_good
)

select * from judged
