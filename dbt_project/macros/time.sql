{#
  Days and moments. Timestamps are UTC instants; a business day is a day in the bank's time zone
  (var timezone).
#}

{# The business day the build speaks for, its end included. #}
{% macro as_of() -%}
    cast('{{ var("as_of") }}' as date)
{%- endmacro %}

{#
  First and last day of open periods. Both are written out: no null means "open" in an identity
  period.
#}
{% macro beginning_of_time() -%}
    cast('0001-01-01' as date)
{%- endmacro %}

{% macro end_of_time() -%}
    cast('9999-12-31' as date)
{%- endmacro %}

{# Local clock time of an instant, without zone. #}
{% macro local_timestamp(instant) -%}
    {{ return(adapter.dispatch('local_timestamp')(instant)) }}
{%- endmacro %}

{% macro default__local_timestamp(instant) -%}
    timezone('{{ var("timezone") }}', {{ instant }})
{%- endmacro %}

{% macro spark__local_timestamp(instant) -%}
    from_utc_timestamp({{ instant }}, '{{ var("timezone") }}')
{%- endmacro %}

{# Business day of an instant. #}
{% macro local_date(instant) -%}
    cast({{ local_timestamp(instant) }} as date)
{%- endmacro %}

{# Instant of a local clock time. #}
{% macro instant_of(local_time) -%}
    {{ return(adapter.dispatch('instant_of')(local_time)) }}
{%- endmacro %}

{% macro default__instant_of(local_time) -%}
    timezone('{{ var("timezone") }}', cast({{ local_time }} as timestamp))
{%- endmacro %}

{% macro spark__instant_of(local_time) -%}
    to_utc_timestamp(cast({{ local_time }} as timestamp), '{{ var("timezone") }}')
{%- endmacro %}

{#
  Whether something of that business day is known when the build speaks: on or before as_of.
  Null is yes.
#}
{% macro is_by_as_of(day) -%}
    ({{ day }} is null or {{ day }} <= {{ as_of() }})
{%- endmacro %}

{# The day so many days later; days may be negative or a bigint column. #}
{% macro add_days(day, days) -%}
    {{ return(adapter.dispatch('add_days')(day, days)) }}
{%- endmacro %}

{% macro default__add_days(day, days) -%}
    cast({{ day }} + cast({{ days }} as integer) as date)
{%- endmacro %}

{% macro spark__add_days(day, days) -%}
    date_add({{ day }}, cast({{ days }} as integer))
{%- endmacro %}

{# The day so many months later; where that month has no such day, its last one. #}
{% macro add_months(day, months) -%}
    {{ return(adapter.dispatch('add_months')(day, months)) }}
{%- endmacro %}

{% macro default__add_months(day, months) -%}
    cast({{ day }} + to_months(cast({{ months }} as integer)) as date)
{%- endmacro %}

{% macro spark__add_months(day, months) -%}
    add_months({{ day }}, cast({{ months }} as integer))
{%- endmacro %}

{# The next anniversary of a day after as_of; of 29 February the 28th in other years. #}
{% macro next_anniversary(day) -%}
    {% set year = var('as_of')[:4] | int -%}
    case
        when {{ add_months(day, "12 * (" ~ year ~ " - year(" ~ day ~ "))") }} > {{ as_of() }}
            then {{ add_months(day, "12 * (" ~ year ~ " - year(" ~ day ~ "))") }}
        else {{ add_months(day, "12 * (" ~ (year + 1) ~ " - year(" ~ day ~ "))") }}
    end
{%- endmacro %}

{# The ends of the last months up to as_of, the earliest first, as texts. #}
{% macro month_ends(months) -%}
    {% set after = modules.datetime.date.fromisoformat(var('as_of')) + modules.datetime.timedelta(days=1) -%}
    {% set ends = [] -%}
    {% for back in range(months) -%}
        {% set month = after.year * 12 + after.month - 1 - back -%}
        {% set first = modules.datetime.date(month // 12, month % 12 + 1, 1) -%}
        {% do ends.insert(0, (first - modules.datetime.timedelta(days=1)).isoformat()) -%}
    {%- endfor %}
    {{ return(ends) }}
{%- endmacro %}

{# The instant so many hours later, clock changes or not. #}
{% macro add_hours(instant, hours) -%}
    {{ return(adapter.dispatch('add_hours')(instant, hours)) }}
{%- endmacro %}

{% macro default__add_hours(instant, hours) -%}
    {{ instant }} + to_hours({{ hours }})
{%- endmacro %}

{% macro spark__add_hours(instant, hours) -%}
    timestampadd(hour, {{ hours }}, {{ instant }})
{%- endmacro %}

{# Whole days from one date to another, bigint. #}
{% macro days_between(first_day, last_day) -%}
    {{ return(adapter.dispatch('days_between')(first_day, last_day)) }}
{%- endmacro %}

{% macro default__days_between(first_day, last_day) -%}
    cast(date_diff('day', {{ first_day }}, {{ last_day }}) as bigint)
{%- endmacro %}

{% macro spark__days_between(first_day, last_day) -%}
    cast(datediff({{ last_day }}, {{ first_day }}) as bigint)
{%- endmacro %}

{# Whole seconds from one instant to another, bigint, the fraction cut off. #}
{% macro seconds_between(first_instant, last_instant) -%}
    {{ return(adapter.dispatch('seconds_between')(first_instant, last_instant)) }}
{%- endmacro %}

{% macro default__seconds_between(first_instant, last_instant) -%}
    cast((epoch_us({{ last_instant }}) - epoch_us({{ first_instant }})) // 1000000 as bigint)
{%- endmacro %}

{% macro spark__seconds_between(first_instant, last_instant) -%}
    ((unix_micros({{ last_instant }}) - unix_micros({{ first_instant }})) div 1000000)
{%- endmacro %}

{# The instant a day, given as text, begins at in UTC. #}
{% macro utc_midnight(day) -%}
    {{ return(adapter.dispatch('utc_midnight')(day)) }}
{%- endmacro %}

{% macro default__utc_midnight(day) -%}
    cast('{{ day }} 00:00:00+00' as timestamptz)
{%- endmacro %}

{% macro spark__utc_midnight(day) -%}
    cast('{{ day }} 00:00:00+00:00' as timestamp)
{%- endmacro %}

{# First day of a date's month, and of its quarter. #}
{% macro first_of_month(day) -%}
    {{ add_days(day, "1 - " ~ day_of_month(day)) }}
{%- endmacro %}

{% macro first_of_quarter(day) -%}
    {{ add_months(first_of_month(day), "-(" ~ month_number(day) ~ " % 3)") }}
{%- endmacro %}

{# Calendar months since year 0, so that months can be counted with. #}
{% macro month_number(day) -%}
    cast(12 * extract(year from {{ day }}) + extract(month from {{ day }}) - 1 as bigint)
{%- endmacro %}

{# Year, and day of the month, of a date, bigint. #}
{% macro year_of(day) -%}
    cast(extract(year from {{ day }}) as bigint)
{%- endmacro %}

{% macro day_of_month(day) -%}
    cast(extract(day from {{ day }}) as bigint)
{%- endmacro %}

{# The type of an instant, for casts. #}
{% macro type_instant() -%}
    {{ return(adapter.dispatch('type_instant')()) }}
{%- endmacro %}

{% macro default__type_instant() -%}timestamp with time zone{%- endmacro %}

{% macro spark__type_instant() -%}timestamp{%- endmacro %}
