{#
  Every row of a CTE with the profile its subject belonged to on its business date; 'unattributed' for nobody.
  Half-open periods never overlap per identifier, so no row is multiplied.
#}
{% macro with_profile(rows, subject_type='subject_type', subject='subject', day='business_date') -%}
    select
        r.*,
        coalesce(i.profile_id, 'unattributed') as profile_id
    from {{ rows }} as r
    left join {{ ref('identity_map') }} as i
        on
            i.identifier_type = r.{{ subject_type }}
            and i.identifier = r.{{ subject }}
            and i.valid_from <= r.{{ day }}
            and i.valid_to > r.{{ day }}
{%- endmacro %}
