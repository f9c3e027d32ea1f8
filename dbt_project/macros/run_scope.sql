{#
  What is new is known once (design rule 7): raw.run_scope holds the keys of events that came or
  went, with every day and account a version of theirs is of. Staging is computed anew by key;
  tables of accounts and days by account and day, the others by day.
#}

{# Days in scope as a list of texts; none when everything is. #}
{% macro scope_days(feed, everything) -%}
    {% set query -%}
        select cast(business_date as {{ type_text() }}) as business_date
        from {{ source("raw", "run_scope") }}
        where feed = '{{ feed }}'
        group by business_date
        order by business_date
    {%- endset %}
    {% if everything or not execute %}
        {{ return(none) }}
    {% endif %}
    {{ return(run_query(query).columns[0].values() | list) }}
{%- endmacro %}

{# The day so many days after a day given as text, as text. #}
{% macro day_after(day, days) -%}
    {% set later = modules.datetime.timedelta(days=days) -%}
    {{ return((modules.datetime.date.fromisoformat(day) + later).isoformat()) }}
{%- endmacro %}

{#
  Condition: the row's business date is in scope and, where its column is named, its key or its
  account on that day. The days are written out, so that files and row groups of other days are
  skipped; an event's moment is bounded a day wider, whatever the time zone.
#}
{% macro in_scope(
    feed, business_date, moment=none, key=none, account=none, everything=none
) -%}
    {% set days = scope_days(feed, not is_incremental() if everything is none else everything) -%}
    {% if days is none -%}
        true
    {%- elif not days -%}
        false
    {%- else -%}
        {{ business_date }} in (
            {%- for day in days %}cast('{{ day }}' as date){{ ", " if not loop.last }}{% endfor -%}
        )
        {%- if moment %}
        and {{ moment }} >= {{ utc_midnight(day_after(days | first, -1)) }}
        and {{ moment }} < {{ utc_midnight(day_after(days | last, 2)) }}
        {%- endif %}
        {{- within_days(feed, business_date, key, account) }}
    {%- endif %}
{%- endmacro %}

{% macro within_days(feed, business_date, key, account) -%}
    {{ return(adapter.dispatch('within_days')(feed, business_date, key, account)) }}
{%- endmacro %}

{% macro default__within_days(feed, business_date, key, account) -%}
    {% set scope = source("raw", "run_scope") ~ " where feed = '" ~ feed ~ "'" -%}
    {%- if key %}
        and {{ key }} in (select event_key from {{ scope }})
    {%- endif %}
    {%- if account %}
        and ({{ business_date }}, {{ account }}) in (
            select business_date, account_id from {{ scope }}
        )
    {%- endif %}
{%- endmacro %}

{# Spark drops whole days. #}
{% macro spark__within_days(feed, business_date, key, account) -%}
{%- endmacro %}

{#
  Winning rows of a feed's events in scope, with business_date. Which version won is known of the
  keys that came more than once, whatever days these are of (see int_events__repeats).
#}
{% macro event_winners(feed, key, moment=none, day=none, version=none) -%}
    {% set business_date = day or local_date(moment) -%}
    select
        versions.*,
        {{ business_date }} as business_date
    from {{ source("raw", feed) }} as versions
    left join {{ ref("int_events__repeats") }} as repeats
        on
            repeats.feed = '{{ feed }}'
            and versions.{{ key }} = repeats.event_key
    where
        {{ in_scope(feed, business_date, moment, key=key) }}
        and (
            repeats.event_key is null
            or (
                versions.arrival_number = repeats.winner_arrival_number
                {%- if version %}
                and versions.{{ version }} is not distinct from repeats.winner_version_number
                {%- endif %}
            )
        )
{%- endmacro %}

{#
  dbt incremental strategy run_scope: what is in scope gives way to what was computed for it, also
  to nothing. A model names its feed, and the column of keys or accounts it is computed by if not
  by whole days; one of several feeds has columns feed and event_key.
#}
{% macro get_incremental_run_scope_sql(arguments) -%}
    {% set columns = arguments["dest_columns"] | map(attribute="quoted") | join(", ") -%}
    {% set by = config.get("meta") -%}
    delete from {{ arguments["target_relation"] }}
    where
    {%- if by.feed %}
        {{ in_scope(by.feed, "business_date", key=by.key, account=by.account, everything=false) }}
    {%- else %}
        (feed, event_key) in (select feed, event_key from {{ source("raw", "run_scope") }})
    {%- endif %};

    insert into {{ arguments["target_relation"] }} ({{ columns }})
    (
        select {{ columns }}
        from {{ arguments["temp_relation"] }}
    )
{%- endmacro %}

{#
  The same on Spark, whose Parquet cannot delete: tables are partitioned by business_date, and a
  partition in scope is dropped with all it holds, also what a killed run left there unregistered.
  dbt-spark asks for the SQL of a strategy by these two names and knows no other strategies.
#}
{% macro dbt_spark_validate_get_incremental_strategy(raw_strategy, file_format) -%}
    {{ return(raw_strategy) }}
{%- endmacro %}

{% macro dbt_spark_get_incremental_sql(
    strategy, source, target, existing, unique_key, incremental_predicates
) -%}
    {% if strategy != "run_scope" -%}
        {% do exceptions.raise_compiler_error(
            "On Spark a model is a table, or incremental by run_scope; not by " ~ strategy
        ) %}
    {%- endif %}
    {% set partitions = [] -%}
    {% for day in scope_days(config.get("meta")["feed"], false) -%}
        {% do partitions.append("partition (business_date = '" ~ day ~ "')") -%}
    {%- endfor %}
    {% if partitions -%}
        {% do run_query("alter table " ~ target ~ " add if not exists " ~ partitions | join(" ")) -%}
        {% do run_query("alter table " ~ target ~ " drop if exists " ~ partitions | join(", ")) -%}
    {%- endif %}
    {{ get_insert_into_sql(source, target) }}
{%- endmacro %}

{% macro spark__partition_cols(label, required=false) -%}
    {% if
        config.get("materialized") == "incremental"
        and config.get("incremental_strategy") == "run_scope"
    -%}
        {{ label }} (business_date)
    {%- endif %}
{%- endmacro %}
