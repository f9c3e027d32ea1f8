{# Hot topics: what customers write about more often than they did. #}

{# The figure of a rule of seed topic_rules. #}
{% macro topic_rule(rule) -%}
    {% set query = "select value from " ~ ref('topic_rules') ~ " where rule = '" ~ rule ~ "'" -%}
    {{ return((run_query(query).columns[0].values() | first) if execute else 1) }}
{%- endmacro %}

{#
  ln n! of a whole number: Stirling's series of ln gamma(z) at z = n + 9, where four terms are good to 12 digits, less the
  logarithms of n + 1 to n + 8 (Abramowitz and Stegun 1964, 6.1.15 and 6.1.41). Spark has no function for it.
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
  Probability of n events where lambda are expected (Poisson): exp(n ln lambda - lambda - ln n!). The tail from n on is
  the sum of those of n, n + 1, … (column tail_step of tail_steps), which fall by lambda / n at least.
#}
{% macro poisson_probability(n, expected) -%}
    exp({{ n }} * ln({{ expected }}) - {{ expected }} - {{ log_factorial(n) }})
{%- endmacro %}

{% macro tail_steps() -%}
{% for step in range(200) -%}
select {{ step }} as tail_step
{{ "union all" if not loop.last }}
{% endfor -%}
{%- endmacro %}

{# A sum over the days before that a baseline rests on (seed topic_rules), by day_number. #}
{% macro sum_over_baseline(x) -%}
    cast(coalesce(sum({{ x }}) over (
            partition by topic, language
            order by day_number
            range between {{ topic_rule('baseline_days') | int }} preceding and 1 preceding
        ), 0) as bigint)
{%- endmacro %}
