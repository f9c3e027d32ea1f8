{# Hot topics: what customers write about more often than they did. #}

{# The figure of a rule of seed topic_rules. #}
{% macro topic_rule(rule) -%}
    {% set query = "select value from " ~ ref('topic_rules') ~ " where rule = '" ~ rule ~ "'" -%}
    {{ return((run_query(query).columns[0].values() | first) if execute else 1) }}
{%- endmacro %}

{# A sum over the days before that a baseline rests on (seed topic_rules), by day_number. #}
{% macro sum_over_baseline(x) -%}
    cast(coalesce(sum({{ x }}) over (
            partition by topic, language
            order by day_number
            range between {{ topic_rule('baseline_days') | int }} preceding and 1 preceding
        ), 0) as bigint)
{%- endmacro %}
