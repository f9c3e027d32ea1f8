{#
  Metrics and their breakdowns. A breakdown (dimension set) is the total, one dimension, or a pair
  of seed cx_dimension_pairs; a dimension it does not break down by is (all).
#}

{% macro cx_dimensions() -%}
    {{ return(['segment', 'region', 'channel', 'touchpoint', 'product', 'tier']) }}
{%- endmacro %}

{# The dimensions as columns of a relation, by commas. #}
{% macro cx_dimension_columns(relation=none) -%}
    {%- for dimension in cx_dimensions() -%}
        {{ relation ~ '.' if relation }}{{ dimension }}{{ ", " if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{# Whether rows of two relations are of the same cell of a breakdown. #}
{% macro cx_is_same_cell(a, b) -%}
    {{ a }}.dimension_set = {{ b }}.dimension_set
    {%- for dimension in cx_dimensions() %}
    and {{ a }}.{{ dimension }} = {{ b }}.{{ dimension }}
    {%- endfor %}
{%- endmacro %}

{# The breakdowns: lists of dimensions, none for the total; pairs of the seed too, if wanted. #}
{% macro cx_dimension_sets(dimensions=none, with_pairs=true) -%}
    {% set singles = dimensions or cx_dimensions() -%}
    {% set sets = [[]] -%}
    {% for dimension in singles %}{% do sets.append([dimension]) %}{% endfor -%}
    {% set query -%}
        select first_dimension, second_dimension
        from {{ ref('cx_dimension_pairs') }}
        order by first_dimension, second_dimension
    {%- endset -%}
    {% for first, second in (run_query(query).rows if execute and with_pairs else []) -%}
        {% if first in singles and second in singles %}{% do sets.append([first, second]) %}{% endif -%}
    {% endfor -%}
    {{ return(sets) }}
{%- endmacro %}

{# Name of a breakdown. #}
{% macro cx_dimension_set_name(dimensions) -%}
    {{ return(dimensions | join('_and_') or 'total') }}
{%- endmacro %}

{# dimension_set and the dimensions of rows grouped by cx_grouping_sets of the same dimensions. #}
{% macro cx_grouped_dimensions(dimensions=none, with_pairs=true) -%}
    {% set singles = dimensions or cx_dimensions() -%}
    case
        {%- for names in cx_dimension_sets(singles, with_pairs) | reverse if names %}
        when {% for name in names %}grouping({{ name }}) = 0{{ " and " if not loop.last }}{% endfor %}
            then '{{ cx_dimension_set_name(names) }}'
        {%- endfor %}
        else 'total'
    end as dimension_set,
    {%- for name in cx_dimensions() %}
    {% if name in singles -%}
    case when grouping({{ name }}) = 0 then {{ name }} else '(all)' end as {{ name }}
    {%- else -%}
    '(all)' as {{ name }}
    {%- endif %}{{ "," if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{# Grouping sets: the columns given, with each breakdown. #}
{% macro cx_grouping_sets(columns, dimensions=none, with_pairs=true) -%}
    grouping sets (
        {%- for names in cx_dimension_sets(dimensions, with_pairs) %}
        ({{ (columns + names) | join(', ') }}){{ "," if not loop.last }}
        {%- endfor %}
    )
{%- endmacro %}

{#
  What is kept of each cell of a breakdown; all of it adds up. Weights are those of non-response
  (decision 0039), null where there are none.
#}
{% macro cx_sums() -%}
    {{ return([
        ['n', 'bigint'],
        ['n_answers', 'bigint'],
        ['n_left_out', 'bigint'],
        ['value_sum', 'decimal(38, 6)'],
        ['square_sum', 'decimal(38, 6)'],
        ['promoter_count', 'bigint'],
        ['detractor_count', 'bigint'],
        ['n_weighted', 'bigint'],
        ['weight_sum', 'decimal(38, 6)'],
        ['weight_square_sum', 'decimal(38, 6)'],
        ['weighted_sum', 'decimal(38, 6)'],
        ['weighted_square_sum', 'decimal(38, 6)'],
    ]) }}
{%- endmacro %}

{# The exact square; DuckDB keeps a product of two decimals of 18 digits at 18, Spark does not. #}
{% macro cx_square(value) -%}
    cast(cast({{ value }} as decimal(20, 6)) * {{ value }} as decimal(38, 6))
{%- endmacro %}

{# The same from observations. #}
{% macro cx_sums_of_observations() -%}
    {% set counted = 'case when is_counted then ' -%}
    {#- as in cx_square -#}
    {% set wide = 'cast(value as decimal(20, 6))' -%}
    {% set expressions = {
        'n': counted ~ '1 end',
        'n_answers': 'case when not is_left_out then 1 end',
        'n_left_out': 'case when is_left_out then 1 end',
        'value_sum': counted ~ 'value end',
        'square_sum': counted ~ cx_square('value') ~ ' end',
        'promoter_count': counted ~ "case when nps_class = 'promoter' then 1 end end",
        'detractor_count': counted ~ "case when nps_class = 'detractor' then 1 end end",
        'n_weighted': counted ~ 'case when weight is not null then 1 end end',
        'weight_sum': counted ~ 'weight end',
        'weight_square_sum': counted ~ 'cast(cast(weight as decimal(20, 6)) * weight as decimal(38, 6)) end',
        'weighted_sum': counted ~ 'cast(' ~ wide ~ ' * weight as decimal(38, 6)) end',
        'weighted_square_sum': counted ~ 'cast(
            cast(' ~ wide ~ ' * value as decimal(20, 6)) * weight as decimal(38, 6)
        ) end',
    } -%}
    {%- for name, type in cx_sums() %}
    cast(coalesce(sum({{ expressions[name] }}), 0) as {{ type }}) as {{ name }}{{ "," if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{# Windows of the rolling forms, in days. #}
{% macro cx_windows() %}{{ return([7, 28, 90]) }}{% endmacro %}

{# The same as rows of column window_days. #}
{% macro cx_window_rows() -%}
    {% for days in cx_windows() -%}
    select {{ days }} as window_days
    {{ "union all" if not loop.last }}
    {% endfor -%}
{%- endmacro %}
