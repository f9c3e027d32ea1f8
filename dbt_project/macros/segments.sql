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

{# The day that places it: its last one, of the month under way as_of. #}
{% macro evaluation_day(months_before) -%}
    {% if months_before == 0 -%}
        {{ as_of() }}
    {%- else -%}
        cast('{{ day_after(month_start(months_before - 1), -1) }}' as date)
    {%- endif %}
{%- endmacro %}

{# The month in the set of the months kept. #}
{% macro month_bit(months_before) -%}
    {{ bit(segment_months() - months_before) }}
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
    {% set in_force = '(' ~ in_force('segment_schemes', 'scheme') ~ ') as schemes' -%}
    {% set query = 'select scheme, is_partition from ' ~ in_force ~ ' order by scheme' -%}
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

{#
  The rules of all schemes, numbered: [{number, scheme, is_partition, valid_from, priority,
  condition}], by scheme, the latest version first, then by priority. A condition holds in the months
  its version is in force in; the first version speaks for all the time before it.
#}
{% macro segment_rules() -%}
    {% set rules = [] -%}
    {% for scheme in segment_schemes() -%}
        {% set versions = segment_rule_versions(scheme.name) -%}
        {% for version in versions -%}
            {% set since = "evaluation_date >= cast('" ~ version.valid_from ~ "' as date)" -%}
            {% set until = "evaluation_date < cast('" ~ versions[loop.index0 - 1].valid_from ~ "' as date)" -%}
            {% set in_force = ([] if loop.last else [since]) + ([] if loop.first else [until]) -%}
            {% for rule in version.rules -%}
                {% do rules.append({
                    'number': rules | length,
                    'scheme': scheme.name,
                    'is_partition': scheme.is_partition,
                    'valid_from': version.valid_from,
                    'priority': rule.priority,
                    'condition': (in_force + rule.bounds) | join(' and ') or 'true',
                }) -%}
            {% endfor -%}
        {% endfor -%}
    {% endfor -%}
    {{ return(rules) }}
{%- endmacro %}

{# The figure of a rule of seed profile_rules. #}
{% macro profile_rule(rule) -%}
    {% set in_force = '(' ~ in_force('profile_rules', 'rule') ~ ') as rules' -%}
    {% set query = "select value from " ~ in_force ~ " where rule = '" ~ rule ~ "'" -%}
    {{ return((run_query(query).columns[0].values() | first) if execute else 1) }}
{%- endmacro %}

{#
  Sets of the days of a month, or of the months kept, are whole numbers: member n, from 0, is bit n.
#}
{% macro bit(n) -%}
    cast(power(2, {{ n }}) as bigint)
{%- endmacro %}

{% macro is_in(bits, set) -%}
    ({{ set }}) & {{ bits }} <> 0
{%- endmacro %}

{# The day in the set of the days of its month. #}
{% macro day_bit(day) -%}
    {{ bit(day_of_month(day) ~ ' - 1') }}
{%- endmacro %}

{# The days of a month from one day to before another, whenever those are. #}
{% macro days_of_month(month_start, from_day, until_day) -%}
    {% set from_number = 'greatest(' ~ days_between(month_start, from_day) ~ ', 0)' -%}
    {% set until_number = 'greatest(' ~ days_between(month_start, until_day) ~ ', 0)' -%}
    ({{ bit('least(' ~ until_number ~ ', 31)') }} - {{ bit('least(' ~ from_number ~ ', 31)') }})
{%- endmacro %}

{# The first and the last day in such a set; the half keeps the logarithm off whole numbers. #}
{% macro first_day_in(days, month_start) -%}
    {{ add_days(month_start, 'bit_count((' ~ days ~ ' & -' ~ days ~ ') - 1)') }}
{%- endmacro %}

{% macro last_day_in(days, month_start) -%}
    {{ add_days(month_start, 'floor(log2(' ~ days ~ ' + 0.5))') }}
{%- endmacro %}

{# The days after that of as_of in any month, as a set. #}
{% macro late_days() -%}
    {{ return(2 ** 31 - 2 ** (var('as_of')[8:] | int)) }}
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
