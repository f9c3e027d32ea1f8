with

rules as (
    select * from {{ ref('cx_alert_rules') }}
    where breach_kind = 'keyword_count'
),

topic_days as (
    select * from {{ ref('int_words__topic_days') }}
    where language = '(all)'
),

-- n texts name the keyword; what counts is how many were read, whatever they name
keyword_days as (
    select
        r.rule,
        r.rule_version,
        r.dimension_set,
        {%- for dimension in cx_dimensions() %}
        {{ 't.topic' if dimension == 'product' else "'(all)'" }} as {{ dimension }},
        {%- endfor %}
        t.business_date as metric_date,
        t.text_count as n,
        cast(t.text_count as double) as value,
        cast(null as double) as lower_bound,
        cast(null as double) as upper_bound,
        r.level,
        t.read_count as n_that_counts,
        t.text_count >= r.level as is_beyond,
        t.text_count < r.level as is_back
    from topic_days as t
    inner join rules as r on t.topic = r.keyword
)

select * from keyword_days
