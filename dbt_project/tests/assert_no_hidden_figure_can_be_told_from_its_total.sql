-- A row returned is a total of which one part only is hidden: a difference would give it away.
{%- set totals = 'window_days, metric, metric_date, dimension_set' %}
with

hidden_cells as (
    select * from {{ ref('int_cx__hidden_cells') }}
),

-- where nothing is hidden, nothing can be told
metrics as (
    select * from {{ ref('int_cx__metrics') }}
    where
        not is_told_by_n
        and n > 0
        and ({{ totals }}) in (select {{ totals }} from hidden_cells)
),

marked as (
    select
        m.*,
        h.metric is not null as is_hidden
    from metrics as m
    left join hidden_cells as h
        on
            m.window_days = h.window_days
            and m.metric = h.metric
            and m.metric_date = h.metric_date
            and {{ cx_is_same_cell('m', 'h') | indent(12) }}
),

-- the parts of a total are those that differ in one dimension
totals as (
    {%- for names in cx_dimension_sets() if names %}
    {%- set outer_loop = loop %}
    {%- for name in names %}
    select
        metric,
        window_days,
        metric_date,
        dimension_set,
        '{{ name }}' as by_dimension,
        count(*) as part_count,
        {{ count_if('is_hidden') }} as hidden_count
    from marked
    where dimension_set = '{{ cx_dimension_set_name(names) }}'
    group by
        metric, window_days, metric_date, dimension_set
        {%- for other in names if other != name %}, {{ other }}{% endfor %}
    {{ "union all" if not (loop.last and outer_loop.last) }}
    {%- endfor %}
    {%- endfor %}
)

select * from totals
where
    hidden_count = 1
    and part_count > 1
