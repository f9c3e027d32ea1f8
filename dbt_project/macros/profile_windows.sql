{# The day n days before as_of, as a literal. The last n days are those after it. #}
{% macro days_before_as_of(n) %}
{%- set day = modules.datetime.date.fromisoformat(var('as_of')) - modules.datetime.timedelta(days=n) -%}
cast('{{ day.isoformat() }}' as date)
{%- endmacro %}

{#
  Measures are lists of [name, suffix, expression, type, windows, trends]. Each window becomes a column
  <name>_<days>d_<suffix>, or <name>_lifetime_<suffix> for all that is known by as_of; each trend, in days, the column
  <name>_<days>d_before, the same of as many days before the window. One list per domain, below.
#}
{% macro window_column(name, window, suffix) -%}
{{ name }}_{{ window if window == 'lifetime' else window ~ 'd' }}_{{ suffix }}
{%- endmacro %}

{# Sums of measures; each row counts on its column day. #}
{% macro window_sums(measures, day='business_date') %}
{%- for name, suffix, expression, type, windows, trends in measures %}
{%- for window in windows %}
    cast(
        sum(
            {%- if window == 'lifetime' %}
            {{ expression }}
            {%- else %}
            case when {{ day }} > {{ days_before_as_of(window) }} then {{ expression }} end
            {%- endif %}
        ) as {{ type }}
    ) as {{ window_column(name, window, suffix) }},
{%- endfor %}
{%- for days in trends %}
    cast(
        sum(
            case
                when
                    {{ day }} > {{ days_before_as_of(2 * days) }}
                    and {{ day }} <= {{ days_before_as_of(days) }}
                    then {{ expression }}
            end
        ) as {{ type }}
    ) as {{ name }}_{{ days }}d_before,
{%- endfor %}
{%- endfor %}
{%- endmacro %}

{# How many days before as_of the windows and trends of measures part, the fewest first. #}
{% macro window_bounds(measures) -%}
    {% set bounds = [] -%}
    {% for name, suffix, expression, type, windows, trends in measures -%}
        {% do bounds.extend(windows | reject('equalto', 'lifetime')) -%}
        {% for days in trends -%}{% do bounds.extend([days, 2 * days]) -%}{% endfor -%}
    {% endfor -%}
    {{ return(bounds | unique | sort) }}
{%- endmacro %}

{# The last day before all windows and trends of measures. #}
{% macro day_before_windows(measures) -%}
    {{ days_before_as_of(window_bounds(measures) | last) }}
{%- endmacro %}

{#
  A day in the same windows, so that rows can be added up by it before the windows are told: the first one that no
  window or trend parts from it; null before all of them, where only a lifetime counts.
#}
{% macro window_day(measures, day='business_date') -%}
    case
        {%- for days in window_bounds(measures) %}
            when {{ day }} > {{ days_before_as_of(days) }} then {{ days_before_as_of(days - 1) }}
        {%- endfor %}
        end
{%- endmacro %}

{# A count or sum that is 0 for people a feed did not see, and null where the bank has no such feed. #}
{% macro zero_where_fed(column, feeds, type='bigint') -%}
{%- set names = [feeds] if feeds is string else feeds -%}
case when {% for feed in names %}feeds.has_{{ feed }}{{ " and " if not loop.last }}{% endfor %} then coalesce({{ column }}, cast(0 as {{ type }})) end
{%- endmacro %}

{# Several such columns of a relation, of one type. #}
{% macro zeros_where_fed(relation, columns, feeds, type='bigint') %}
{%- for column in columns %}
        {{ zero_where_fed(relation ~ '.' ~ column, feeds, type) }} as {{ column }},
{%- endfor %}
{%- endmacro %}

{#
  The columns of measures, for the profile: 0 where a feed did not see the person. A trend is (window - before) /
  before, so -1 is nothing any more, 0 as before, 1 twice as much; null where there was nothing before, where the
  relation's feed begins (feed_first_date) or the relationship began within those days.
#}
{% macro columns_where_fed(relation, measures, feed, since='person.customer_since_date') %}
{%- for name, suffix, expression, type, windows, trends in measures %}
{%- for window in windows %}
{%- set column = window_column(name, window, suffix) %}
        {{ zero_where_fed(relation ~ '.' ~ column, feed, type) }} as {{ column }},
{%- endfor %}
{%- for days in trends %}
{%- set first_day = days_before_as_of(2 * days - 1) %}
{%- set now = 'coalesce(' ~ relation ~ '.' ~ window_column(name, days, suffix) ~ ', 0)' %}
{%- set before = relation ~ '.' ~ name ~ '_' ~ days ~ 'd_before' %}
        case
            when
                {{ relation }}.feed_first_date <= {{ first_day }}
                and coalesce({{ since }} <= {{ first_day }}, true)
                then {{ divide(now ~ ' - ' ~ before, before) }}
        end as {{ name }}_{{ days }}d_trend,
{%- endfor %}
{%- endfor %}
{%- endmacro %}

{# The value of the preferred record that has one; preference must be a total order within the group. #}
{% macro preferred(column) -%}
min_by({{ column }}, preference) filter (where {{ column }} is not null)
{%- endmacro %}

{# Models int_profile__<domain> whose columns the profile shows. #}
{% macro profile_domains() %}
{{ return([
    'relationship',
    'balances',
    'aum',
    'money',
    'joint_money',
    'rhythm',
    'channels',
    'app',
    'digital',
    'service',
    'complaints',
    'experience',
    'personas',
]) }}
{% endmacro %}

{# What is counted over the windows, per domain. #}
{% macro money_measures() %}
{{ return([
    ['transaction', 'count', 'transaction_count', 'bigint', [7, 30, 90, 365, 'lifetime'], [30, 90]],
    ['inflow', 'amount', 'credit_amount', 'decimal(18, 2)', [7, 30, 90, 365], [30, 90]],
    ['outflow', 'amount', 'debit_amount', 'decimal(18, 2)', [7, 30, 90, 365], [30, 90]],
    ['net_flow', 'amount', 'credit_amount - debit_amount', 'decimal(18, 2)', [30, 90, 365], []],
    ['unconverted', 'count', 'unconverted_count', 'bigint', [30, 90, 365], []],
]) }}
{% endmacro %}

{% macro joint_money_measures() %}
{{ return([
    ['joint_inflow', 'amount', 'credit_amount', 'decimal(18, 2)', [30, 90, 365], []],
    ['joint_outflow', 'amount', 'debit_amount', 'decimal(18, 2)', [30, 90, 365], []],
]) }}
{% endmacro %}

{% macro service_measures() %}
{{ return([
    ['call', 'count', 'call_count', 'bigint', [7, 30, 90, 365, 'lifetime'], [30, 90]],
    ['abandoned_call', 'count', 'abandoned_count', 'bigint', [30, 90, 365], []],
    ['handle', 'seconds', 'measured_handle_seconds', 'bigint', [90], []],
    ['handled_call', 'count', 'handled_count', 'bigint', [90], []],
    ['wait', 'seconds', 'measured_wait_seconds', 'bigint', [90], []],
    ['waited_call', 'count', 'waited_count', 'bigint', [90], []],
]) }}
{% endmacro %}

{% macro app_measures() %}
{{ return([
    ['app_event', 'count', 'event_count', 'bigint', [7, 30, 90], []],
    ['app_login', 'count', 'login_count', 'bigint', [7, 30, 90], []],
    ['app_error', 'count', 'error_count', 'bigint', [7, 30, 90], []],
]) }}
{% endmacro %}

{# Counted once however often: days and sessions. #}
{% macro app_day_measures() %}
{{ return([['app_active_day', 'count', 'day_count', 'bigint', [7, 30, 90], [30, 90]]]) }}
{% endmacro %}

{% macro app_session_measures() %}
{{ return([['app_session', 'count', 'session_count', 'bigint', [7, 30, 90], []]]) }}
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

{# Values the contracts and seeds name that become columns of the profile. #}
{% macro holding_types() %}
{{ return(['card', 'loan', 'deposit', 'investment', 'insurance', 'standing_order']) }}
{% endmacro %}

{% macro contact_channels() %}{{ return(['app', 'online', 'phone', 'atm', 'branch', 'pos']) }}{% endmacro %}

{# Channels a person serves oneself in, and those in which the bank's people do. #}
{% macro digital_channels() %}{{ return(['app', 'online']) }}{% endmacro %}

{% macro assisted_channels() %}{{ return(['phone', 'branch']) }}{% endmacro %}

{% macro personas() %}
{{ return(['senior', 'business_owner', 'cross_border', 'payroll', 'vip']) }}
{% endmacro %}

{% macro question_families() %}{{ return(['nps', 'csat', 'ces']) }}{% endmacro %}

{# Days on which assets are told: the last twelve months' ends, and as_of. Texts, the earliest first. #}
{% macro asset_day_list() -%}
    {% set days = month_ends(12) -%}
    {{ return(days if var('as_of') in days else days + [var('as_of')]) }}
{%- endmacro %}

{# The same as rows of column asset_date. #}
{% macro asset_days() -%}
{% for day in asset_day_list() -%}
select cast('{{ day }}' as date) as asset_date
{{ "union all" if not loop.last }}
{% endfor -%}
{%- endmacro %}
