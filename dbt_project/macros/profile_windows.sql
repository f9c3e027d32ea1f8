{# The windows of the profile, in days that end with as_of. One list, so that columns stay the same everywhere. #}
{% macro profile_windows() %}{{ return([30, 90, 365]) }}{% endmacro %}

{# The day n days before as_of, as a literal. The last n days are those after it. #}
{% macro days_before_as_of(n) %}
{%- set day = modules.datetime.date.fromisoformat(var('as_of')) - modules.datetime.timedelta(days=n) -%}
cast('{{ day.isoformat() }}' as date)
{%- endmacro %}

{#
  Sums over the last days, one column per measure and window: <name>_<days>d_<suffix>.
  measures: list of [name, suffix, expression, type]; each row counts on its column day.
#}
{% macro window_sums(measures, windows=none, day='business_date') %}
{%- for name, suffix, expression, type in measures %}
{%- for days in windows or profile_windows() %}
    cast(
        sum(case when {{ day }} > {{ days_before_as_of(days) }} then {{ expression }} end)
        as {{ type }}
    ) as {{ name }}_{{ days }}d_{{ suffix }},
{%- endfor %}
{%- endfor %}
{%- endmacro %}

{# A count or sum that is 0 for people a feed did not see, and null where the bank has no such feed. #}
{% macro zero_where_fed(column, feeds, type='bigint') -%}
{%- set names = [feeds] if feeds is string else feeds -%}
case when {% for feed in names %}feeds.has_{{ feed }}{{ " and " if not loop.last }}{% endfor %} then coalesce({{ column }}, cast(0 as {{ type }})) end
{%- endmacro %}

{# The columns window_sums made in a model, for the profile: 0 where a feed did not see the person. #}
{% macro columns_where_fed(relation, measures, feed, windows=none) %}
{%- for name, suffix, expression, type in measures %}
{%- for days in windows or profile_windows() %}
{%- set column = name ~ '_' ~ days ~ 'd_' ~ suffix %}
        {{ zero_where_fed(relation ~ '.' ~ column, feed, type) }} as {{ column }},
{%- endfor %}
{%- endfor %}
{%- endmacro %}

{# The value of the preferred record that has one; preference must be a total order within the group. #}
{% macro preferred(column) -%}
min_by({{ column }}, preference) filter (where {{ column }} is not null)
{%- endmacro %}

{# What is counted over the windows, per domain: [name, suffix, expression, type]. #}
{% macro money_measures() %}
{{ return([
    ['transaction', 'count', 'transaction_count', 'bigint'],
    ['inflow', 'amount', 'credit_amount', 'decimal(18, 2)'],
    ['outflow', 'amount', 'debit_amount', 'decimal(18, 2)'],
    ['unconverted', 'count', 'unconverted_count', 'bigint'],
]) }}
{% endmacro %}

{% macro joint_money_measures() %}
{{ return([
    ['joint_inflow', 'amount', 'credit_amount', 'decimal(18, 2)'],
    ['joint_outflow', 'amount', 'debit_amount', 'decimal(18, 2)'],
]) }}
{% endmacro %}

{% macro service_measures() %}
{{ return([
    ['call', 'count', 'call_count', 'bigint'],
    ['abandoned_call', 'count', 'abandoned_count', 'bigint'],
    ['handle', 'seconds', 'measured_handle_seconds', 'bigint'],
    ['handled_call', 'count', 'handled_count', 'bigint'],
    ['wait', 'seconds', 'measured_wait_seconds', 'bigint'],
    ['waited_call', 'count', 'waited_count', 'bigint'],
]) }}
{% endmacro %}

{# Whether a day is in the window of the timeline, which ends with as_of (seed cx_rules). #}
{% macro is_in_timeline(day) -%}
(
        {{ day }} <= {{ as_of() }}
        and {{ day }} > (
            select {{ add_days(as_of(), '-timeline_window_days') }}
            from {{ ref('int_cx__rules') }}
        )
    )
{%- endmacro %}

{% macro app_measures() %}
{{ return([
    ['app_event', 'count', 'event_count', 'bigint'],
    ['app_login', 'count', 'login_count', 'bigint'],
    ['app_error', 'count', 'error_count', 'bigint'],
]) }}
{% endmacro %}

{# Values the contracts and seeds name that become columns of the profile. #}
{% macro holding_types() %}
{{ return(['card', 'loan', 'deposit', 'investment', 'insurance', 'standing_order']) }}
{% endmacro %}

{% macro contact_channels() %}{{ return(['app', 'online', 'phone', 'atm', 'branch', 'pos']) }}{% endmacro %}

{% macro question_families() %}{{ return(['nps', 'csat', 'ces']) }}{% endmacro %}
