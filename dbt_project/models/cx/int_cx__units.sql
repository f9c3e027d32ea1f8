with

observations as (
    select * from {{ ref('int_cx__observations') }}
    where is_counted
),

means as (
    select * from {{ ref('cx_metric_registry') }}
    where adds_as = 'mean'
),

answers as (
    select * from {{ ref('int_cx__answers') }}
),

-- a contact is a unit whoever it was; of answers only the last to a question is
units as (
    select
        o.metric,
        o.observation_id,
        o.metric_date,
        o.final_date,
        o.person_key,
        o.profile_id,
        coalesce(a.question_id, o.observation_id) as question_id,
        a.responded_at,
        {{ cx_dimension_columns('o') }},
        o.nps_class,
        o.value
    from observations as o
    inner join means as m on o.metric = m.metric
    left join answers as a
        on
            o.observation_id = a.response_id
            and o.is_answer
)

select * from units
