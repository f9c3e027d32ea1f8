{#
  Columns of the profile that feeds bring which many banks do not have: risk scores, outreach,
  points. One list of each, so that columns stay the same everywhere.
#}

{# Models int_profile__<domain> of such feeds, and their columns. #}
{% macro optional_domains() %}{{ return(['risk', 'outreach', 'points']) }}{% endmacro %}

{% macro optional_columns() %}
        {{- risk_columns() }}
        {{- outreach_columns() }}
        {{- points_columns() }}
{%- endmacro %}

{# Risks with a score of their own; seed risk_score_names says which scores tell them. #}
{% macro risks() %}{{ return(['fraud', 'credit']) }}{% endmacro %}

{% macro risk_columns() %}
        {%- for risk in risks() %}
        risk.{{ risk }}_risk_score,
        {%- endfor %}
        {{ zero_where_fed('risk.risk_flag_count', 'risk_scores') }} as risk_flag_count,
        risk.last_risk_scored_at,
{%- endmacro %}

{% macro outreach_windows() %}{{ return([90, 365]) }}{% endmacro %}

{% macro outreach_measures() %}
{{ return([
    ['outreach', 'count', 'sent_count', 'bigint', outreach_windows(), []],
    ['outreach_delivered', 'count', 'delivered_count', 'bigint', outreach_windows(), []],
    ['outreach_converted', 'count', 'converted_count', 'bigint', outreach_windows(), []],
]) }}
{% endmacro %}

{% macro outreach_columns() %}
        {%- for days in outreach_windows() %}
        {{ zero_where_fed('outreach.outreach_' ~ days ~ 'd_count', 'outreach') }}
            as outreach_{{ days }}d_count,
        outreach.outreach_reach_{{ days }}d_share,
        outreach.outreach_conversion_{{ days }}d_share,
        {%- endfor %}
        outreach.last_outreach_at,
{%- endmacro %}

{# Days after as_of within which points expire. #}
{% macro points_windows() %}{{ return([30, 15, 3]) }}{% endmacro %}

{% macro points_columns() %}
        {{ zero_where_fed('points.points_balance_count', 'points_entries') }}
            as points_balance_count,
        {%- for days in points_windows() %}
        {{ zero_where_fed('points.points_expiring_' ~ days ~ 'd_count', 'points_entries') }}
            as points_expiring_{{ days }}d_count,
        {%- endfor %}
        points.next_points_expiry_date,
{%- endmacro %}
