{#
  The same key delivered more than once: which row wins (design rule 5). One row of a key and
  version per delivery.
#}

{#
  Order of versions: the highest version, then the latest arrival, then the content hash. Total:
  arrivals are unique.
#}
{% macro repeat_order(version=none) -%}
    {% if version %}{{ version }} desc nulls last, {% endif -%}
    arrival_number desc, content_hash desc
{%- endmacro %}

{# Every version of every key once: repeats of one version are resolved to the latest arrival. #}
{% macro distinct_versions(feed, key, version) -%}
    select *
    from (
        select
            *,
            row_number() over (
                partition by {{ key | join(", ") }}, {{ version }}
                order by {{ repeat_order() }}
            ) as repeat_rank
        from {{ source("raw", feed) }}
    ) as ranked
    where repeat_rank = 1
{%- endmacro %}

{#
  The version of every key that was valid at the end of as_of; its first one where all came
  later.
#}
{% macro current_versions(feed, key, version) -%}
    {% set is_known = is_by_as_of(local_date(version)) -%}
    select *
    from (
        select
            *,
            row_number() over (
                partition by {{ key | join(", ") }}
                order by
                    case when {{ is_known }} then 0 else 1 end,
                    case when {{ is_known }} then {{ version }} end desc nulls last,
                    {{ version }} asc nulls first,
                    {{ repeat_order() }}
            ) as repeat_rank
        from {{ source("raw", feed) }}
    ) as ranked
    where repeat_rank = 1
{%- endmacro %}

{# Rows of the snapshot that speaks at as_of, one per key. #}
{% macro snapshot_rows(feed, key) -%}
    select *
    from (
        select
            raw_rows.*,
            row_number() over (
                partition by {{ key | join(", ") }}
                order by {{ repeat_order() }}
            ) as repeat_rank
        from {{ source("raw", feed) }} as raw_rows
        where raw_rows.arrival_number in (
            select snapshots.arrival_number
            from {{ ref("stg_snapshot_deliveries") }} as snapshots
            where snapshots.feed = '{{ feed }}'
        )
    ) as ranked
    where repeat_rank = 1
{%- endmacro %}
