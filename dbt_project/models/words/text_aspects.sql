with

sentiments as (
    select * from {{ ref('text_sentiments') }}
),

mentions as (
    select * from {{ source('raw', 'text_mentions') }}
),

aspects as (
    select
        s.feed,
        s.record_key,
        m.aspect,
        m.polarity,
        s.profile_id,
        s.business_date,
        s.channel,
        s.language,
        s.lexicon_version
    from sentiments as s
    inner join mentions as m
        on
            s.feed = m.feed
            and s.record_key = m.record_key
            and s.arrival_number = m.arrival_number
            and s.version_at is not distinct from m.version_at
)

select * from aspects
