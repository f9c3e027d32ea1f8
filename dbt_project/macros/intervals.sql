{#
  95 % intervals (definitions and their proof: decision 0038). Each macro gives one bound, as an
  expression of double columns; a weighted figure has its effective n in the place of n.
#}

{# The normal quantile that 2.5 % lie above. #}
{% macro z95() %}{{ return('cast(1.959963984540054 as double)') }}{% endmacro %}

{#
  Adjusted Wald for NPS (Rocks 2016, arXiv:1601.07235): three quarters of a promoter, three halves of
  a passive and three quarters of a detractor are added. In points, within -100 to 100; null below 10
  answers. The counts of promoters and detractors may be weighted ones.
#}
{% macro nps_bound(sign, promoters, detractors, n) -%}
    {% set more = '(' ~ n ~ ' + 3)' -%}
    {% set net = '((' ~ promoters ~ ' - ' ~ detractors ~ ') / ' ~ more ~ ')' -%}
    {% set either = '((' ~ promoters ~ ' + ' ~ detractors ~ ' + 1.5) / ' ~ more ~ ')' -%}
    case
        when {{ n }} >= 10
            then {{ 'greatest' if sign == '-' else 'least' }}(
                {{ round_double(
                    '100 * (' ~ net ~ ' ' ~ sign ~ ' ' ~ z95()
                    ~ ' * sqrt((' ~ either ~ ' - ' ~ net ~ ' * ' ~ net ~ ') / ' ~ more ~ '))'
                ) }},
                cast({{ '-100' if sign == '-' else '100' }} as double)
            )
    end
{%- endmacro %}

{# Wilson 1927 for a share of n; null without any. #}
{% macro share_bound(sign, share, n) -%}
    {% set z = z95() -%}
    case
        when {{ n }} > 0
            then {{ round_double(
                '(' ~ share ~ ' + ' ~ z ~ ' * ' ~ z ~ ' / (2 * ' ~ n ~ ') ' ~ sign ~ ' ' ~ z
                ~ ' * sqrt(greatest(' ~ share ~ ' * (1 - ' ~ share ~ '), 0) / ' ~ n
                ~ ' + ' ~ z ~ ' * ' ~ z ~ ' / (4 * ' ~ n ~ ' * ' ~ n ~ ')))'
                ~ ' / (1 + ' ~ z ~ ' * ' ~ z ~ ' / ' ~ n ~ ')'
            ) }}
    end
{%- endmacro %}

{#
  Student's t for a mean, from 30 values on and where they differ; mean_of_squares is that of the
  squared values.
#}
{% macro mean_bound(sign, mean, mean_of_squares, n) -%}
    {% set variance = '(' ~ mean_of_squares ~ ' - ' ~ mean ~ ' * ' ~ mean ~ ')' -%}
    case
        when {{ n }} >= 30 and {{ variance }} > 1e-9
            then {{ round_double(
                mean ~ ' ' ~ sign ~ ' ' ~ student_t95('(' ~ n ~ ' - 1)')
                ~ ' * sqrt(' ~ variance ~ ' / (' ~ n ~ ' - 1))'
            ) }}
    end
{%- endmacro %}

{#
  The quantile of Student's t that 2.5 % lie above, by the expansion in 1 / degrees of freedom
  (Abramowitz and Stegun 26.7.5); from 29 degrees on it is right to six digits.
#}
{% macro student_t95(df) -%}
    {% set z = 1.959963984540054 -%}
    {% set g1 = (z ** 3 + z) / 4 -%}
    {% set g2 = (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96 -%}
    {% set g3 = (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384 -%}
    {% set g4 = (79 * z ** 9 + 776 * z ** 7 + 1482 * z ** 5 - 1920 * z ** 3 - 945 * z) / 92160 -%}
    ({{ z95() }} + ({{ g1 }} + ({{ g2 }} + ({{ g3 }} + {{ g4 }} / {{ df }}) / {{ df }}) / {{ df }}) / {{ df }})
{%- endmacro %}

{#
  The rank, among n values, of the lower bound of the interval for their median; the upper bound has
  the same rank counted from above. Order statistics, by the normal approximation of the binomial with
  a correction for continuity (Conover 1999, section 3.2): the largest whole number up to
  (n + 1) / 2 - z * sqrt(n) / 2. From 6 values on it is the exact rank or, for one n in 300, the one
  outside it; 0 of fewer, which have no such interval.
#}
{% macro median_lower_rank(n) -%}
    cast(
        floor(0.5e0 * (cast({{ n }} as double) + 1 - {{ z95() }} * sqrt(cast({{ n }} as double))))
        as bigint
    )
{%- endmacro %}
