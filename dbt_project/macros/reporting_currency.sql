{#
  An amount in the reporting currency, decimal(18, 2): as booked in the own currency, else by the rate of its
  business day; null where there is no rate, so that it can be counted.
#}
{% macro in_reporting_currency(amount, currency='currency', rate='rate') -%}
case
            when {{ currency }} = '{{ var("reporting_currency") }}'
                then cast({{ amount }} as decimal(18, 2))
            else
                cast(
                    {{ convert_money("cast(" ~ amount ~ " as decimal(18, 2))", rate) }}
                    as decimal(18, 2)
                )
        end
{%- endmacro %}

{# Whether an amount cannot be told in the reporting currency. #}
{% macro is_unconverted(currency='currency', rate='rate') -%}
({{ currency }} <> '{{ var("reporting_currency") }}' and {{ rate }} is null)
{%- endmacro %}
