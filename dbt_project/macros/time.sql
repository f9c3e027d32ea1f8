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

{# Local clock time of an instant, without zone. Spark: from_utc_timestamp. #}
{% macro local_timestamp(instant) -%}
    timezone('{{ var("timezone") }}', {{ instant }})
{%- endmacro %}

{# Business day of an instant. #}
{% macro local_date(instant) -%}
    cast({{ local_timestamp(instant) }} as date)
{%- endmacro %}

{# Instant of a local clock time. Spark: to_utc_timestamp. #}
{% macro instant_of(local_time) -%}
    timezone('{{ var("timezone") }}', cast({{ local_time }} as timestamp))
{%- endmacro %}

{#
  Whether something of that business day is known when the build speaks: on or before as_of.
  Null is yes.
#}
{% macro is_by_as_of(day) -%}
    ({{ day }} is null or {{ day }} <= {{ as_of() }})
{%- endmacro %}

{# The day so many days later; days may be negative or a bigint column. Spark: date_add. #}
{% macro add_days(day, days) -%}
    cast({{ day }} + cast({{ days }} as integer) as date)
{%- endmacro %}

{# The instant so many hours later, clock changes or not. Spark: timestampadd. #}
{% macro add_hours(instant, hours) -%}
    {{ instant }} + to_hours({{ hours }})
{%- endmacro %}

{# Whole days from one date to another, bigint. Spark: datediff. #}
{% macro days_between(first_day, last_day) -%}
    cast(date_diff('day', {{ first_day }}, {{ last_day }}) as bigint)
{%- endmacro %}

{# Whole seconds from one instant to another, bigint, rounded down. Spark: unix_micros. #}
{% macro seconds_between(first_instant, last_instant) -%}
    cast((epoch_us({{ last_instant }}) - epoch_us({{ first_instant }})) // 1000000 as bigint)
{%- endmacro %}
