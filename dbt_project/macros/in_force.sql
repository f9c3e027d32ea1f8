{#
  Rows of a dated seed in force at as_of: of each key, or of the whole seed, those of the latest
  valid_from on or before it. So a change is new rows, and earlier days keep their answers.
#}
{% macro in_force(seed, key=none) -%}
    select versions.*
    from {{ ref(seed) }} as versions
    where
        versions.valid_from = (
            select max(others.valid_from)
            from {{ ref(seed) }} as others
            where
                others.valid_from <= {{ as_of() }}
                {%- if key %}
                and others.{{ key }} = versions.{{ key }}
                {%- endif %}
        )
{%- endmacro %}
