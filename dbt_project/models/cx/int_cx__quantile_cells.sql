-- a number of a cell is quicker to sort by than its seven names
select
    metric,
    dimension_set,
    {{ cx_dimension_columns() }},
    row_number() over (order by metric, dimension_set, {{ cx_dimension_columns() }}) as cell_number
from (
    select distinct
        metric,
        dimension_set,
        {{ cx_dimension_columns() }}
    from {{ ref('int_cx__daily_cells') }}
    where
        metric in (select quantile_of from {{ ref('cx_metric_registry') }})
        and n > 0
) as cells
