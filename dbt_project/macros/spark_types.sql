{#
  Contracts and seeds name types in DuckDB's words. Spark has other words for two of them.
#}
{% macro spark_type(type) -%}
    {% set types = {
        "varchar": "string",
        "timestamp with time zone": "timestamp",
    } -%}
    {{ return(types.get(type | lower, type)) }}
{%- endmacro %}

{# The columns a contract promises. #}
{% macro spark__get_empty_schema_sql(columns) -%}
    {% set promised = {} -%}
    {% for name, column in columns.items() -%}
        {% do promised.update(
            {name: dict(column, data_type=spark_type(column["data_type"]))}
        ) -%}
    {%- endfor %}
    {{ return(dbt.default__get_empty_schema_sql(promised)) }}
{%- endmacro %}

{# A seed's table; its rows are inserted with the types set here. #}
{% macro spark__create_csv_table(model, agate_table) -%}
    {% set types = model["config"]["column_types"] -%}
    {% for name, type in types.items() -%}
        {% do types.update({name: spark_type(type)}) -%}
    {%- endfor %}
    {{ return(dbt.spark__create_csv_table(model, agate_table)) }}
{%- endmacro %}

{# dbt-spark writes a quote inside a text as it is, and null as the text None. #}
{% macro spark__load_csv_rows(model, agate_table) -%}
    {% set types = model["config"]["column_types"] -%}
    {% for chunk in agate_table.rows | batch(get_batch_size()) -%}
        {% set rows = [] -%}
        {% for row in chunk -%}
            {% set values = [] -%}
            {% for column in agate_table.column_names -%}
                {% set value = row[column] -%}
                {% set type = types.get(column) or adapter.convert_type(agate_table, loop.index0) -%}
                {% set text = value | string | replace("\\", "\\\\") | replace("'", "\\'") -%}
                {% set literal = "null" if value is none else "'" ~ text ~ "'" -%}
                {% do values.append("cast(" ~ literal ~ " as " ~ type ~ ")") -%}
            {%- endfor %}
            {% do rows.append("(" ~ values | join(", ") ~ ")") -%}
        {%- endfor %}
        {% do run_query("insert into " ~ this.render() ~ " values " ~ rows | join(", ")) -%}
    {%- endfor %}
    {{ return("") }}
{%- endmacro %}
