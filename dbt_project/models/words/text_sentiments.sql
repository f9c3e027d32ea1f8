with

records as (
    select * from {{ ref('int_words__records') }}
),

readings as (
    select * from {{ source('raw', 'text_readings') }}
),

-- what another version or delivery of the record said does not count
sentiments as (
    select
        r.feed,
        r.record_key,
        r.profile_id,
        r.business_date,
        r.channel,
        t.language,
        t.sentiment_score,
        t.sentiment,
        t.is_angry,
        t.model_name,
        t.model_version,
        t.lexicon_version,
        r.arrival_number,
        r.version_at
    from records as r
    inner join readings as t
        on
            r.feed = t.feed
            and r.record_key = t.record_key
            and r.arrival_number = t.arrival_number
            and r.version_at is not distinct from t.version_at
)

select * from sentiments
