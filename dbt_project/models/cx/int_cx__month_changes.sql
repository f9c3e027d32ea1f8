{%- set sides = ['before', 'after'] -%}

with

totals as (
    select * from {{ ref('int_cx__month_parts') }}
    where dimension = 'total'
),

registry as (
    select * from {{ ref('cx_metric_registry') }}
),

rules as (
    select * from {{ ref('int_cx__rules') }}
),

-- fewer would tell of persons
counted as (
    select
        t.*,
        cast(t.n as double) as n_double,
        cast(t.promoter_count as double) as promoters,
        cast(t.detractor_count as double) as detractors,
        {{ divide('t.value_sum', 't.n', 12) }} as mean_value,
        {{ divide('t.square_sum', 't.n', 12) }} as mean_square
    from totals as t
    cross join rules as r
    where t.n >= r.identifying_below_n
),

pairs as (
    select
        after_it.metric,
        after_it.month_date,
        {%- for side in sides %}
        {{ side }}_it.n as n_{{ side }},
        {{ side }}_it.mean_value as total_{{ side }},
        {%- for column in ['n_double', 'promoters', 'detractors', 'mean_square'] %}
        {{ side }}_it.{{ column }} as {{ column }}_{{ side }},
        {%- endfor %}
        {%- endfor %}
        r.interval_method,
        r.unit
    from counted as after_it
    inner join counted as before_it
        on
            after_it.metric = before_it.metric
            and after_it.month_date = {{ add_months('before_it.month_date', 1) }}
    inner join registry as r on after_it.metric = r.metric
),

bounded as (
    select
        metric,
        month_date,
        n_before,
        n_after,
        total_before,
        total_after,
        {{ round_double('total_after - total_before', 12) }} as total_change,
        {%- for sign, bound in [('-', 'lower'), ('+', 'upper')] %}
        case interval_method
            when 'nps'
                then {{ nps_change_bound(
                    sign,
                    ['promoters_before', 'detractors_before', 'n_double_before'],
                    ['promoters_after', 'detractors_after', 'n_double_after'],
                ) | indent(16) }}
            when 'share'
                then {{ share_change_bound(
                    sign,
                    ['total_before', 'n_double_before'],
                    ['total_after', 'n_double_after'],
                ) | indent(16) }}
            when 'mean'
                then {{ mean_change_bound(
                    sign,
                    ['total_before', 'mean_square_before', 'n_double_before'],
                    ['total_after', 'mean_square_after', 'n_double_after'],
                ) | indent(16) }}
        end as change_{{ bound }}_bound,
        {%- endfor %}
        unit
    from pairs
)

select * from bounded
