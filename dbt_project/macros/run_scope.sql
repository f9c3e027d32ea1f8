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
        and {{ moment }} >= cast('{{ days | first }} 00:00:00+00' as timestamptz) - interval 1 day
        and {{ moment }} < cast('{{ days | last }} 00:00:00+00' as timestamptz) + interval 2 day
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
