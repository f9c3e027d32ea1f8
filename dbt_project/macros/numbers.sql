{#
  Numbers. Engines differ in division, averages, rounding and the type of a sum, so models use
  these.
#}

{# a / b as double, null where b is 0 or null, rounded half away from zero. #}
{% macro divide(a, b, digits=6) -%}
    {{ round_double("cast(" ~ a ~ " as double) / nullif(cast(" ~ b ~ " as double), 0)", digits) }}
{%- endmacro %}

{# A double rounded half away from zero. #}
{% macro round_double(x, digits=6) -%}
    {{ return(adapter.dispatch('round_double')(x, digits)) }}
{%- endmacro %}

{% macro default__round_double(x, digits) -%}
    round({{ x }}, {{ digits }})
{%- endmacro %}

{# Spark rounds the shortest decimal that tells the double; DuckDB scales it, rounds, scales back. #}
{% macro spark__round_double(x, digits) -%}
    round(({{ x }}) * cast(1e{{ digits }} as double)) / cast(1e{{ digits }} as double)
{%- endmacro %}

{# Exact average from an exact sum and a count. #}
{% macro average(total, n, digits=6) -%}
    {{ divide(total, n, digits) }}
{%- endmacro %}

{#
  Average of money from an exact sum and a count, decimal(18, 2), half away from zero: of cents, for halves of them
  are exact as doubles and halves of amounts are not.
#}
{% macro average_money(total, n) -%}
    cast(cast({{ divide("100 * " ~ total, n, 0) }} as decimal(18, 0)) * 0.01 as decimal(18, 2))
{%- endmacro %}

{# Sum of whole numbers, bigint (HUGEINT on DuckDB otherwise); null without rows. #}
{% macro sum_integer(x) -%}
    cast(sum({{ x }}) as bigint)
{%- endmacro %}

{# Sum of money, decimal(38, 2); null without rows. #}
{% macro sum_money(x) -%}
    cast(sum({{ x }}) as decimal(38, 2))
{%- endmacro %}

{#
  Money in another currency at a rate, decimal(38, 2), half away from zero; null without a rate.
#}
{% macro convert_money(amount, rate) -%}
    cast(round({{ amount }} * {{ rate }}, 2) as decimal(38, 2))
{%- endmacro %}

{# Rows for which a condition is true, bigint. #}
{% macro count_if(condition) -%}
    count(case when {{ condition }} then 1 end)
{%- endmacro %}

{#
  The least value that k of so many parts of the rows do not exceed, decimal(38, 2). The share is told
  a little less, so that one that is no exact double asks for no row more.
#}
{% macro least_value_of_share(value, k, parts) -%}
    {{ return(adapter.dispatch('least_value_of_share')(value, k / parts - 1e-9)) }}
{%- endmacro %}

{% macro default__least_value_of_share(value, share) -%}
    cast(quantile_disc({{ value }}, {{ share }}) as decimal(38, 2))
{%- endmacro %}

{% macro spark__least_value_of_share(value, share) -%}
    cast(percentile_disc({{ share }}) within group (order by {{ value }}) as decimal(38, 2))
{%- endmacro %}
