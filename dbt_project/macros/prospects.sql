{# Id of the prospect an identifier stands for while it is nobody's: from the keyed part of its token. #}
{% macro prospect_id(token) -%}
    'p' || substr({{ token }}, length({{ token }}) - 31, 24)
{%- endmacro %}

{#
  Periods of holders (identifier_type, identifier, profile_id, first_date, last_date), from evidence that comes again
  and again. Holders who are seen in turn hold an identifier one after the other, each until the next one's first day,
  the first from the beginning of time; holders whose days overlap share it, and then it is nobody's.
#}
{% macro holder_periods(holders) -%}
    select
        identifier_type,
        identifier,
        case
            when lag(first_date) over (
                partition by identifier_type, identifier order by first_date
            ) is null
                then {{ beginning_of_time() }}
            else first_date
        end as valid_from,
        coalesce(
            lead(first_date) over (partition by identifier_type, identifier order by first_date),
            {{ end_of_time() }}
        ) as valid_to,
        holder_count,
        case when holder_count = 1 then profile_id end as profile_id
    from (
        select
            identifier_type,
            identifier,
            turn,
            min(first_date) as first_date,
            count(distinct profile_id) as holder_count,
            min(profile_id) as profile_id
        from (
            select
                *,
                sum(case when first_date > last_date_before then 1 else 0 end) over (
                    partition by identifier_type, identifier
                    order by first_date, profile_id
                    rows between unbounded preceding and current row
                ) as turn
            from (
                select
                    *,
                    max(last_date) over (
                        partition by identifier_type, identifier
                        order by first_date, profile_id
                        rows between unbounded preceding and 1 preceding
                    ) as last_date_before
                from {{ holders }}
            ) as in_order
        ) as in_turns
        group by identifier_type, identifier, turn
    ) as turns
{%- endmacro %}
