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

named as (
    select
        *,
        row_number() over (
            partition by profile_id, score_name
            order by scored_at desc, score_id desc
        ) as recency
    from scored
    where profile_id <> 'unattributed'
),

-- The last of each name, 0 to 1 of the engine's scale, 1 the highest risk. The last of a risk is
-- among them.
latest as (
    select
        named.profile_id,
        named.score_name,
        named.scored_at,
        named.band,
        names.risk,
        {{ divide(
            'case when is_high_bad then score - scale_min else scale_max - score end',
            'scale_max - scale_min',
        ) }} as risk_score,
        row_number() over (
            partition by named.profile_id, names.risk
            order by named.scored_at desc, named.score_id desc
        ) as recency_of_risk
    from named
    left join names on named.score_name = names.score_name
    where named.recency = 1
),

summed as (
    select
        latest.profile_id,
        {%- for risk in risks() %}
        max(case when risk = '{{ risk }}' and recency_of_risk = 1 then risk_score end)
            as {{ risk }}_risk_score,
        {%- endfor %}
        {{ count_if('flagged_bands.band is not null') }} as risk_flag_count,
        max(scored_at) as last_risk_scored_at
    from latest
    left join flagged_bands
        on
            latest.score_name = flagged_bands.score_name
            and latest.band = flagged_bands.band
    group by latest.profile_id
)

select * from summed
