with

scores as (
    select * from {{ ref('stg_risk_scores') }}
    where business_date <= {{ as_of() }}
),

names as (
    select * from {{ ref('risk_score_names') }}
),

flagged_bands as (
    select * from {{ ref('risk_bands') }}
),

scored as (
    {{ with_profile('scores') | indent(4) }}
),

-- 0 to 1 of the engine's scale, 1 the highest risk
oriented as (
    select
        scored.profile_id,
        scored.score_name,
        scored.scored_at,
        scored.score_id,
        scored.band,
        names.risk,
        {{ divide(
            'case when is_high_bad then score - scale_min else scale_max - score end',
            'scale_max - scale_min',
        ) }} as risk_score
    from scored
    left join names on scored.score_name = names.score_name
    where scored.profile_id <> 'unattributed'
),

ranked as (
    select
        *,
        row_number() over (
            partition by profile_id, score_name
            order by scored_at desc, score_id desc
        ) as recency_of_name,
        row_number() over (
            partition by profile_id, risk
            order by scored_at desc, score_id desc
        ) as recency_of_risk
    from oriented
),

summed as (
    select
        ranked.profile_id,
        {%- for risk in risks() %}
        max(case when risk = '{{ risk }}' and recency_of_risk = 1 then risk_score end)
            as {{ risk }}_risk_score,
        {%- endfor %}
        {{ count_if('flagged_bands.band is not null and recency_of_name = 1') }}
            as risk_flag_count,
        max(scored_at) as last_risk_scored_at
    from ranked
    left join flagged_bands
        on
            ranked.score_name = flagged_bands.score_name
            and ranked.band = flagged_bands.band
    group by ranked.profile_id
)

select * from summed
