{#
  A model's schema is named as configured, without the target's in front: the names are the
  interface.
#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
