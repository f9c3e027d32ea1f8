{#
  No column has a null, in a table of one row or without a key of its own. A failing row says which
  column.
#}
{% test has_no_nulls(model, columns) %}
{{ null_columns(model, columns) }}
{% endtest %}
