{%- set days = cx_windows()[1] -%}

with

metrics as (
    select * from {{ ref('cx_metrics_daily') }}
    where value is not null
),

benchmarks as (
    select
        b.*,
        r.direction
    from {{ ref('cx_benchmarks') }} as b
    inner join {{ ref('cx_metric_registry') }} as r on b.metric = r.metric
),

compared as (
    select
        b.benchmark,
        b.kind,
        m.metric,
        m.metric_date,
        m.dimension_set,
        {{ cx_dimension_columns('m') }},
        m.n,
        m.value,
        b.value as benchmark_value,
        {{ round_double(
            "case b.direction when 'down' then b.value - m.value else m.value - b.value end"
        ) }} as gap,
        b.tolerance,
        b.source
    from metrics as m
    inner join benchmarks as b
        on
            m.metric = b.metric
            and m.metric_date >= b.valid_from
            and coalesce(m.metric_date < b.valid_to, true)
            and {{ cx_is_same_cell('m', 'b') | indent(12) }}
),

judged as (
    select
        *,
        gap < -tolerance as is_beyond_tolerance
    from compared
),

counted as (
    select
        *,
        {{ count_if('is_beyond_tolerance') }} over (
            partition by benchmark
            order by metric_date
            rows between {{ days - 1 }} preceding and current row
        ) as beyond_tolerance_{{ days }}d_count
    from judged
)

select * from counted
