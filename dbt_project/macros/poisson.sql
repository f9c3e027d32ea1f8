{#
  Chances of Poisson counts, exact but for the last digits of a double; no engine has all the
  functions for it.
#}

{# Natural logarithm of x factorial: Stirling's series at x + 10, where it is right to twelve digits. #}
{% macro ln_factorial(x) -%}
    {% set far = '(' ~ x ~ ' + 10)' -%}
    (
        ({{ far }} + 0.5) * ln({{ far }}) - {{ far }} + {{ 0.9189385332046727 }}
        + power(12 * {{ far }}, -1) - power(360 * {{ far }} * {{ far }} * {{ far }}, -1)
        {%- for more in range(1, 11) %}
        - ln({{ x }} + {{ more }})
        {%- endfor %}
    )
{%- endmacro %}

{# Chance of exactly so many where so many are expected. Both doubles, the second over 0. #}
{% macro poisson_chance(count, mean) -%}
    exp({{ count }} * ln({{ mean }}) - {{ mean }} - {{ ln_factorial(count) }})
{%- endmacro %}
