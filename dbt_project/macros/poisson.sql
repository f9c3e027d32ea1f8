{# Chances of Poisson counts, for alerts and topics; Spark has no function for them. #}

{#
  ln n! of a whole number: Stirling's series of ln gamma(z) at z = n + 9, where four terms are good to 12 digits, less the
  logarithms of n + 1 to n + 8 (Abramowitz and Stegun 1964, 6.1.15 and 6.1.41).
#}
{% macro log_factorial(n) -%}
    {% set z = "(cast(" ~ n ~ " as double) + 9)" -%}
    (
        ({{ z }} - 0.5) * ln({{ z }}) - {{ z }} + 0.5 * ln(2 * pi())
        + 1 / (12 * {{ z }})
        - 1 / (360 * power({{ z }}, 3))
        + 1 / (1260 * power({{ z }}, 5))
        - 1 / (1680 * power({{ z }}, 7))
        {%- for step in range(1, 9) %}
        - ln(cast({{ n }} as double) + {{ step }})
        {%- endfor %}
    )
{%- endmacro %}

{#
  Chance of exactly n where so many are expected (over 0): exp(n ln expected - expected - ln n!). The tail from n on is
  the sum of those of n, n + 1, …, each of which is less than the one before by expected / n at least.
#}
{% macro poisson_chance(n, expected) -%}
    exp({{ n }} * ln({{ expected }}) - {{ expected }} - {{ log_factorial(n) }})
{%- endmacro %}
