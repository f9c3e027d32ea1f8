{# Points entries by as_of, as far as what is left of them depends on them and on the day. #}
{% macro points_entries() -%}
    select
        party_id,
        business_date,
        case when points > 0 then points else 0 end as gained_count,
        case when points < 0 then -points else 0 end as used_count,
        coalesce(expires_date > {{ as_of() }}, true) as is_lasting,
        -- what should have expired by as_of is one lot, the same on every day; what never does another
        case
            when coalesce(expires_date > {{ as_of() }}, true)
                then coalesce(expires_date, {{ end_of_time() }})
            else {{ beginning_of_time() }}
        end as expires_date
    from {{ ref('stg_points_entries') }}
    where business_date <= {{ as_of() }}
{%- endmacro %}
