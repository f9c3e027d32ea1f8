with

answers as (
    select * from {{ ref('int_cx__answers') }}
    where {{ is_in_timeline('business_date') }}
),

touchpoints as (
    select
        'survey_responses:' || response_id as touchpoint_id,
        profile_id,
        responded_at as occurred_at,
        business_date,
        'survey_responses' as feed,
        question_family || '_' || survey_kind as touchpoint_type,
        channel,
        product as product_or_topic,
        cast(null as decimal(18, 2)) as amount,
        cast(null as {{ type_text() }}) as currency,
        score,
        is_negative
    from answers
)

select * from touchpoints
