{%- set nps_class -%}
case
            when question_family <> 'nps' then null
            when is_promoter then 'promoter'
            when is_detractor then 'detractor'
            else 'passive'
        end
{%- endset %}

{%- set touchpoint -%}
coalesce(
            touchpoint,
            case
                when call_id is not null then 'call'
                when survey_kind = 'relationship' then 'relationship'
                else channel
            end
        )
{%- endset %}

{#- metric, which answers it takes, what one answer is worth -#}
{%- set metrics = [
    [
        "'nps_' || survey_kind",
        "question_family = 'nps'",
        "case when is_promoter then 100 when is_detractor then -100 else 0 end",
    ],
    ["'csat_mean'", "question_family = 'csat'", "reference_score"],
    [
        "'csat_top_two_share'",
        "question_family = 'csat'",
        "case when is_top_two then 1 else 0 end",
    ],
    ["'ces_' || ces_version || '_mean'", "ces_version is not null", "score"],
    [
        "'ces_' || ces_version || '_low_effort_share'",
        "ces_version is not null",
        "case when is_low_effort then 1 else 0 end",
    ],
] -%}

with

answers as (
    select * from {{ ref('int_cx__answers') }}
),

observations as (
{% for metric, condition, value in metrics %}
    select
        {{ metric }} as metric,
        response_id as observation_id,
        business_date as metric_date,
        profile_id,
        question_id,
        region,
        channel,
        {{ touchpoint }} as touchpoint,
        product,
        cast({{ value }} as decimal(18, 6)) as value,
        {{ nps_class }} as nps_class,
        is_latest_of_day as is_counted
    from answers
    where {{ condition }}
    {{ "union all" if not loop.last }}
{%- endfor %}
)

select * from observations
