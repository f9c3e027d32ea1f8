with

cells as (
    {%- for relation, window in [
        ('int_cx__daily_cells', '1'),
        ('int_cx__month_cells', '1'),
        ('int_cx__rolling_cells', 'window_days'),
    ] %}
    select
        cast({{ window }} as int) as window_days,
        metric as counted_metric,
        metric_date,
        dimension_set,
        {{ cx_dimension_columns() }},
        n_persons,
        {%- for name, type in cx_sums() %}
        {{ name }}{{ "," if not loop.last }}
        {%- endfor %}
    from {{ ref(relation) }}
    {{ "union all" if not loop.last }}
    {%- endfor %}
),

registry as (
    select * from {{ ref('cx_metric_registry') }}
),

-- a median is of what the mean of the same contacts counts, in each breakdown it is told for; it
-- does not add up, so it has no sum
named as (
    select
        r.metric,
        c.counted_metric,
        c.window_days,
        c.metric_date,
        c.dimension_set,
        {{ cx_dimension_columns('c') }},
        c.n_persons,
        {%- for name, type in cx_sums() %}
        {% if name == 'value_sum' -%}
        case when r.quantile_of is null then c.value_sum end as value_sum,
        {%- else -%}
        c.{{ name }},
        {%- endif %}
        {%- endfor %}
        r.unit,
        r.interval_method,
        r.invitation_metric,
        r.adds_as not in ('mean', 'quantile') as is_total,
        r.adds_as in ('sum', 'distinct') as is_told_by_n,
        r.quantile_of is not null as is_median
    from cells as c
    inner join registry as r on c.counted_metric = coalesce(r.quantile_of, r.metric)
    where
        r.quantile_of is null
        or c.dimension_set in (
            {%- for names in cx_dimension_sets(with_pairs=false) %}
            '{{ cx_dimension_set_name(names) }}'{{ "," if not loop.last }}
            {%- endfor %}
        )
)

select * from named
