{#
  What is new is known once (design rule 7): the days of an event feed to compute anew are in
  raw.run_scope. Tables of events and days are incremental by business_date: the days in scope
  are deleted and inserted.
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
  Condition: the row's business date is in scope. The days are written out, so that files and
  row groups of other days are skipped; an event's moment is bounded a day wider, whatever the
  time zone.
#}
{% macro in_scope(feed, business_date, moment=none, everything=none) -%}
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
    {%- endif %}
{%- endmacro %}

{#
  Versions of a feed's events in scope, with business_date and repeat_rank (1 wins among those
  seen).
#}
{% macro event_versions(feed, key, moment=none, day=none, version=none) -%}
    {% set business_date = day or local_date(moment) -%}
    select
        *,
        {{ business_date }} as business_date,
        row_number() over (
            partition by {{ key }}
            order by {{ repeat_order(version) }}
        ) as repeat_rank
    from {{ source("raw", feed) }}
    where {{ in_scope(feed, business_date, moment) }}
{%- endmacro %}

{#
  Winning rows of a feed's events in scope. A version in scope may have lost to one on a day out
  of scope: its key is then among the moved ones, which remember the winner's day (see
  int_events__moved).
#}
{% macro event_winners(feed, key, moment=none, day=none, version=none) -%}
    {% set moved = ref("int_events__moved") -%}
    select *
    from ({{ event_versions(feed, key, moment, day, version) }}) as versions
    where
        repeat_rank = 1
        {%- if is_incremental() %}
        and not exists (
            select 1
            from {{ moved }} as moved
            where
                moved.feed = '{{ feed }}'
                and moved.event_key = versions.{{ key }}
                and not ({{ in_scope(feed, "moved.business_date") }})
        )
        {%- endif %}
{%- endmacro %}

{#
  dbt incremental strategy run_scope: days in scope give way to what was computed for them, also
  to nothing.
#}
{% macro get_incremental_run_scope_sql(arguments) -%}
    {% set columns = arguments["dest_columns"] | map(attribute="quoted") | join(", ") -%}
    delete from {{ arguments["target_relation"] }}
    where business_date in (
        select scope.business_date
        from {{ source("raw", "run_scope") }} as scope
        where scope.feed = '{{ config.get("meta")["feed"] }}'
    );

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
    {% if config.get("incremental_strategy") == "run_scope" -%}
        {{ label }} (business_date)
    {%- endif %}
{%- endmacro %}
