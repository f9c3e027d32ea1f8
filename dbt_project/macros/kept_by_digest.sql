{#
  Tables kept by digest. A table has for each of its keys a digest of the rows it was made of; where that
  is not today's, the key is computed anew (decision 0042). So it does not matter what a blocked or
  killed run left there, nor why a row changed: it came late, its person is another, a seed is new.
#}

{# A number that differs when any row of the relation, or how many there are, differs. #}
{% macro digest_of_rows(relation) -%}
    {{ return(adapter.dispatch('digest_of_rows')(relation)) }}
{%- endmacro %}

{% macro default__digest_of_rows(relation) -%}
    cast(sum(hash({{ relation }})) as decimal(38, 0))
{%- endmacro %}

{% macro spark__digest_of_rows(relation) -%}
    cast(sum(cast(xxhash64({{ relation }}.*) as decimal(20, 0))) as decimal(38, 0))
{%- endmacro %}

{# Rows of a relation of digests whose key the model has to compute: all of them on Spark. #}
{% macro rows_to_compute(digests) -%}
    select d.*
    from {{ digests }} as d
    {%- if is_incremental() %}
    {%- set columns = config.get("meta")["digests"]["columns"] if execute else [] %}
    {%- set keys = columns + ["digest"] %}
    left join (
        select distinct {{ keys | join(', ') }}
        from {{ this }}
    ) as kept
        on
            {%- for key in keys %}
            {{ 'and ' if not loop.first }}d.{{ key }} = kept.{{ key }}
            {%- endfor %}
    {%- endif %}
    where
        d.digest is not null
        {%- if is_incremental() %}
        and kept.digest is null
        {%- endif %}
{%- endmacro %}

{#
  dbt incremental strategy kept_by_digest, on DuckDB; Spark builds these tables anew. A model's meta
  names the relation of digests and the columns of the key, which both have.
#}
{% macro get_incremental_kept_by_digest_sql(arguments) -%}
    {% set columns = arguments["dest_columns"] | map(attribute="quoted") | join(", ") -%}
    {% set by = config.get("meta")["digests"] -%}
    {% set keys = (by["columns"] + ["digest"]) | join(", ") -%}
    {% set target = arguments["target_relation"] -%}
    delete from {{ target }}
    where ({{ keys }}) not in (
        select {{ keys }}
        from {{ ref(by["relation"]) }}
        where digest is not null
    );

    insert into {{ target }} ({{ columns }})
    (
        select {{ columns }}
        from {{ arguments["temp_relation"] }}
    )
{%- endmacro %}
