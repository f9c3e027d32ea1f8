{#
  Segments count by months (decision 0024): a month is placed by its last day, the month under way
  by as_of. So many whole months before it are kept.
#}
{% macro segment_months() %}{{ return(24) }}{% endmacro %}

{# Whether the month of as_of is over with it. #}
{% macro is_month_over() -%}
    {% set day = modules.datetime.date.fromisoformat(var('as_of')) -%}
    {{ return((day + modules.datetime.timedelta(days=1)).day == 1) }}
{%- endmacro %}

{# The first day of the month that lies so many months before that of as_of, as text. #}
{% macro month_start(months_before) -%}
    {% set day = modules.datetime.date.fromisoformat(var('as_of')) -%}
    {% set number = 12 * day.year + day.month - 1 - months_before -%}
    {{ return(modules.datetime.date(number // 12, number % 12 + 1, 1).isoformat()) }}
{%- endmacro %}

{# What RFM scores: name and the value, more of which is better. #}
{% macro rfm_measures() -%}
    {{ return([
        ['recency', '-inactive_days'],
        ['frequency', 'active_day_12m_count'],
        ['monetary', 'initiated_12m_amount'],
    ]) }}
{%- endmacro %}

{# Whether RFM scores somebody in a month: a customer who acted within twelve months. #}
{% macro is_rfm_scored() -%}
    (is_customer = 1 and active_day_12m_count > 0)
{%- endmacro %}

{# The schemes of seed segment_schemes: [{name, is_partition}]. #}
{% macro segment_schemes() -%}
    {% set query = 'select scheme, is_partition from ' ~ ref('segment_schemes') ~ ' order by scheme' -%}
    {% set schemes = [] -%}
    {% if execute -%}
        {% for row in run_query(query).rows -%}
            {% do schemes.append({'name': row[0], 'is_partition': row[1]}) -%}
        {% endfor -%}
    {% else -%}
        {% do schemes.append({'name': 'example', 'is_partition': true}) -%}
        {% do schemes.append({'name': 'other_example', 'is_partition': false}) -%}
    {% endif -%}
    {{ return(schemes) }}
{%- endmacro %}

{#
  The versions of a scheme's rules (seed segment_rules), the latest first: [{valid_from, rules}], a
  rule being {priority, condition}. The rows of one priority hold together; a row without bounds
  always holds.
#}
{% macro segment_rule_versions(scheme) -%}
    {% set query -%}
        select
            cast(valid_from as {{ type_text() }}) as valid_from,
            priority,
            attribute,
            at_least,
            below
        from {{ ref('segment_rules') }}
        where scheme = '{{ scheme }}'
        order by valid_from desc, priority, attribute, at_least, below
    {%- endset %}
    {% set versions = [] -%}
    {% for valid_from, priority, attribute, at_least, below in rows_of(query) -%}
        {% if not versions or versions[-1].valid_from != valid_from -%}
            {% do versions.append({'valid_from': valid_from, 'rules': []}) -%}
        {% endif -%}
        {% set rules = versions[-1].rules -%}
        {% if not rules or rules[-1].priority != priority -%}
            {% do rules.append({'priority': priority, 'bounds': []}) -%}
        {% endif -%}
        {% if at_least is not none -%}
            {% do rules[-1].bounds.append(attribute ~ ' >= ' ~ at_least) -%}
        {% endif -%}
        {% if below is not none -%}
            {% do rules[-1].bounds.append(attribute ~ ' < ' ~ below) -%}
        {% endif -%}
    {% endfor -%}
    {{ return(versions) }}
{%- endmacro %}

{# Rows of a query over seeds of rules; while nothing runs, one that stands for them. #}
{% macro rows_of(query) -%}
    {{ return(run_query(query).rows if execute else [('2000-01-01', 1, none, none, none)]) }}
{%- endmacro %}

{# The version of a scheme's rules in force on evaluation_date; the first speaks for all before. #}
{% macro rule_version(scheme) -%}
    case
        {%- for version in segment_rule_versions(scheme) %}
        when {{ "true" if loop.last else "evaluation_date >= cast('" ~ version.valid_from ~ "' as date)" }}
            then cast('{{ version.valid_from }}' as date)
        {%- endfor %}
    end
{%- endmacro %}

{# The first rule of a scheme that holds, by its priority. #}
{% macro first_rule(scheme) -%}
    case
        {%- for version in segment_rule_versions(scheme) %}
        {%- set is_first = loop.last %}
        {%- for rule in version.rules %}
        when
            {%- if not is_first %}
            evaluation_date >= cast('{{ version.valid_from }}' as date)
            and
            {%- endif %}
            {{ rule.bounds | join(' and ') or 'true' }}
            then {{ rule.priority }}
        {%- endfor %}
        {%- endfor %}
    end
{%- endmacro %}

{# The figure of a rule of seed profile_rules. #}
{% macro profile_rule(rule) -%}
    {% set query = "select value from " ~ ref('profile_rules') ~ " where rule = '" ~ rule ~ "'" -%}
    {{ return((run_query(query).columns[0].values() | first) if execute else 1) }}
{%- endmacro %}

{# Columns of int_segments__current that the profile shows. #}
{% macro segment_columns() -%}
    {{ return([
        'lifecycle_stage',
        'lifecycle_entered_date',
        'lifecycle_reason',
        'last_active_date',
        'active_day_3m_count',
        'active_day_3m_trend',
        'onboarding_day_count',
        'onboarding_wave',
        'is_activated_90d',
        'rfm_recency',
        'rfm_frequency',
        'rfm_monetary',
        'rfm_cell',
        'rfm_segment',
        'primary_segment',
        'micro_segment',
        'loyalty_tier',
        'loyalty_tier_movement',
        'loyalty_keep_spend_gap_amount',
        'loyalty_next_spend_gap_amount',
    ]) }}
{%- endmacro %}

{# Whether a segment is a part of a wider one, as a/b is of a; and the wider one. #}
{% macro is_part(segment) -%}
    {{ segment }} like '%/%'
{%- endmacro %}

{% macro wider_segment(segment) -%}
    regexp_replace({{ segment }}, '/[^/]*$', '')
{%- endmacro %}
