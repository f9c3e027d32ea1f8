with

inputs as (
    select * from {{ ref('int_segments__inputs') }}
),

cut_points as (
    select * from {{ ref('rfm_cut_points') }}
),

-- An upper bound belongs to the lower score, so equal values score the same; of bounds that
-- coincide the scores between belong to nobody.
scored as (
    select
        i.*,
        {%- for measure, value in rfm_measures() %}
        cast(
            case when {{ is_rfm_scored() }} and {{ measure }}.upper_bound_1 is not null then
                1
                {%- for k in range(1, 5) %}
                + case
                    when {{ value }} > {{ measure }}.upper_bound_{{ k }} then 1
                    else 0
                end
                {%- endfor %}
            end as bigint
        ) as rfm_{{ measure }}_score
        {{- "," if not loop.last }}
        {%- endfor %}
    from inputs as i
    {%- for measure, value in rfm_measures() %}
    left join cut_points as {{ measure }}
        on
            i.month_start = {{ measure }}.month_start
            and {{ measure }}.measure = '{{ measure }}'
    {%- endfor %}
)

select * from scored
