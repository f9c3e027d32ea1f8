{#- relation, its columns that others have not -#}
{%- set parts = [
    ['int_cx__survey_observations', ['question_id', 'region', 'nps_class', 'is_counted']],
    ['int_cx__invitation_observations', ['final_date', 'region']],
    ['int_cx__call_observations', ['final_date', 'is_left_out']],
    ['int_cx__contact_observations', ['final_date']],
] -%}

with

observations as (
    {%- for relation, has in parts %}
    select
        metric,
        observation_id,
        metric_date,
        {{ 'final_date' if 'final_date' in has else 'metric_date as final_date' }},
        profile_id,
        {%- for column in ['question_id', 'region', 'nps_class'] %}
        {{ column if column in has else 'cast(null as ' ~ type_text() ~ ') as ' ~ column }},
        {%- endfor %}
        channel,
        touchpoint,
        product,
        value,
        {%- if 'is_left_out' in has %}
        not is_left_out as is_counted,
        is_left_out
        {%- else %}
        {{ 'is_counted' if 'is_counted' in has else 'true as is_counted' }},
        false as is_left_out
        {%- endif %}
    from {{ ref(relation) }}
    {{ "union all" if not loop.last }}
    {%- endfor %}
),

person_days as (
    select * from {{ ref('int_cx__person_days') }}
),

weights as (
    select * from {{ ref('int_cx__weights') }}
),

placed as (
    select
        o.metric,
        o.observation_id,
        o.metric_date,
        o.final_date,
        o.profile_id,
        -- an observation without a person is a person of its own
        case
            when o.profile_id = 'unattributed' then 'nobody:' || o.observation_id
            else o.profile_id
        end as person_key,
        o.question_id,
        o.question_id is not null as is_answer,
        coalesce(p.segment, '(unknown)') as segment,
        coalesce(o.region, p.region, '(unknown)') as region,
        coalesce(o.channel, '(unknown)') as channel,
        coalesce(o.touchpoint, '(unknown)') as touchpoint,
        coalesce(o.product, '(unknown)') as product,
        coalesce(p.tier, '(unknown)') as tier,
        o.value,
        o.nps_class,
        o.is_counted,
        o.is_left_out,
        w.weight
    from observations as o
    left join person_days as p
        on
            o.profile_id = p.profile_id
            and o.metric_date = p.business_date
    left join weights as w
        on
            o.question_id is not null
            and o.observation_id = w.response_id
)

select * from placed
