{#
  Tables by month of what is kept by day (see run_scope.sql) are incremental by month_start: the
  months that days in scope touch are deleted and inserted.
#}

{# Condition: the day's month is in scope. Days are bounded first, so that others are skipped. #}
{% macro in_scope_months(feed, day) -%}
    {% set days = scope_days(feed, not is_incremental()) -%}
    {% if days is none -%}
        true
    {%- elif not days -%}
        false
    {%- else -%}
        {% set months = [] -%}
        {% for scope_day in days if scope_day[:7] ~ '-01' not in months -%}
            {% do months.append(scope_day[:7] ~ '-01') -%}
        {%- endfor -%}
        {{ day }} >= cast('{{ months | first }}' as date)
        and {{ day }} < {{ add_months("cast('" ~ (months | last) ~ "' as date)", 1) }}
        and {{ first_of_month(day) }} in (
            {%- for month in months %}cast('{{ month }}' as date){{ ", " if not loop.last }}{% endfor -%}
        )
    {%- endif %}
{%- endmacro %}

{# dbt incremental strategy run_scope_months, on DuckDB; Spark builds these tables anew. #}
{% macro get_incremental_run_scope_months_sql(arguments) -%}
    {% set columns = arguments["dest_columns"] | map(attribute="quoted") | join(", ") -%}
    delete from {{ arguments["target_relation"] }}
    where month_start in (
        select {{ first_of_month("scope.business_date") }}
        from {{ source("raw", "run_scope") }} as scope
        where scope.feed = '{{ config.get("meta")["feed"] }}'
    );

    insert into {{ arguments["target_relation"] }} ({{ columns }})
    (
        select {{ columns }}
        from {{ arguments["temp_relation"] }}
    )
{%- endmacro %}
