{{ config(
    materialized='incremental',
    incremental_strategy='run_scope',
    meta={'feed': 'risk_scores', 'key': 'score_id'},
) }}

with

winners as (
    {{ event_winners('risk_scores', key='score_id', moment='scored_at') | indent(4) }}
),

risk_scores as (
    select
        score_id,
        party_id,
        score_name,
        score,
        scale_min,
        scale_max,
        is_high_bad,
        band,
        scored_at,
        model_version,
        business_date,
        'party' as subject_type,
        party_id as subject,
        source,
        arrival_number
    from winners
)

select * from risk_scores
