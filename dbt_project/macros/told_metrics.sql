{#
  The rows readers see of int_cx__metrics: of some windows, what would tell of persons taken out, and
  what rests on too few not told as a figure.
#}
{% macro told_metrics(condition) -%}
with

metrics as (
    select * from {{ ref('int_cx__metrics') }}
    where {{ condition }}
),

hidden_cells as (
    select * from {{ ref('int_cx__hidden_cells') }}
    where {{ condition }}
),

judged as (
    select
        m.*,
        h.metric is not null as is_hidden,
        m.is_final and m.is_reliable and h.metric is null as is_told,
        m.is_final and m.is_reliable_weighted and h.metric is null as is_told_weighted
    from metrics as m
    left join hidden_cells as h
        on
            m.window_days = h.window_days
            and m.metric = h.metric
            and m.metric_date = h.metric_date
            and {{ cx_is_same_cell('m', 'h') | indent(12) }}
),

-- of those invited on the same days, in the same breakdown; to read metrics twice by name costs more
all_invited as (
    select * from {{ ref('int_cx__metrics') }}
    where
        {{ condition }}
        and metric in (select invitation_metric from {{ ref('cx_metric_registry') }})
),

-- what their own row does not tell, no other row does
invited as (
    select i.*
    from all_invited as i
    left join hidden_cells as h
        on
            i.window_days = h.window_days
            and i.metric = h.metric
            and i.metric_date = h.metric_date
            and {{ cx_is_same_cell('i', 'h') | indent(12) }}
    where
        i.is_final
        and i.is_reliable
        and h.metric is null
),

targets as (
    select * from {{ ref('cx_benchmarks') }}
    where kind = 'target'
),

told as (
    select
        m.metric,
        m.metric_date,
        m.window_days,
        m.dimension_set,
        {{ cx_dimension_columns('m') }},
        m.n,
        m.n_persons,
        m.n_answers,
        m.n_left_out,
        case when m.is_final and not m.is_hidden then m.value_sum end
            as numerator_sum,
        case when m.is_told then m.value end as value,
        case when m.is_told then m.lower_bound end as lower_bound,
        case when m.is_told then m.upper_bound end as upper_bound,
        case when m.is_told_weighted then {{ round_double('m.weighted_mean') }} end
            as weighted_value,
        case when m.is_told_weighted then m.weighted_lower_bound end as weighted_lower_bound,
        case when m.is_told_weighted then m.weighted_upper_bound end as weighted_upper_bound,
        {{ round_double('m.effective_n') }} as effective_n,
        i.value as response_share,
        {%- for name, expression in [
            ('promoter_count', 'm.promoter_count'),
            ('passive_count', 'm.n - m.promoter_count - m.detractor_count'),
            ('detractor_count', 'm.detractor_count'),
        ] %}
        case when m.interval_method = 'nps' and not m.is_hidden then {{ expression }} end
            as {{ name }},
        {%- endfor %}
        b.value as benchmark_value,
        m.unit,
        m.is_reliable,
        m.is_hidden,
        m.is_final
    from judged as m
    left join invited as i
        on
            m.invitation_metric = i.metric
            and m.window_days = i.window_days
            and m.metric_date = i.metric_date
            and {{ cx_is_same_cell('m', 'i') | indent(12) }}
    -- what is wanted of a day's total is not what is wanted of ninety days'
    left join targets as b
        on
            m.metric = b.metric
            and (m.window_days = 1 or not m.is_total)
            and m.metric_date >= b.valid_from
            and coalesce(m.metric_date < b.valid_to, true)
            and {{ cx_is_same_cell('m', 'b') | indent(12) }}
)

select * from told
{%- endmacro %}
