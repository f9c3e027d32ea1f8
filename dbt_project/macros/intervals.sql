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
    case
        when {{ n }} >= 10
            then {{ 'greatest' if sign == '-' else 'least' }}(
                {{ round_double(
                    '100 * (' ~ nps_net(promoters, detractors, n) ~ ' ' ~ sign ~ ' ' ~ z95()
                    ~ ' * sqrt(' ~ nps_variance(promoters, detractors, n) ~ '))'
                ) }},
                cast({{ '-100' if sign == '-' else '100' }} as double)
            )
    end
{%- endmacro %}

{#
  The same for the change between two groups of different people, each given as its promoters,
  detractors and n: the two variances are added. In points, within -200 to 200.
#}
{% macro nps_change_bound(sign, before, after) -%}
    case
        when {{ before[2] }} >= 10 and {{ after[2] }} >= 10
            then {{ 'greatest' if sign == '-' else 'least' }}(
                {{ round_double(
                    '100 * (' ~ nps_net(*after) ~ ' - ' ~ nps_net(*before) ~ ' ' ~ sign ~ ' ' ~ z95()
                    ~ ' * sqrt(' ~ nps_variance(*before) ~ ' + ' ~ nps_variance(*after) ~ '))'
                ) }},
                cast({{ '-200' if sign == '-' else '200' }} as double)
            )
    end
{%- endmacro %}

{# Adjusted score (-1 to 1). #}
{% macro nps_net(promoters, detractors, n) -%}
    (({{ promoters }} - {{ detractors }}) / ({{ n }} + 3))
{%- endmacro %}

{# Its variance. #}
{% macro nps_variance(promoters, detractors, n) -%}
    {% set net = nps_net(promoters, detractors, n) -%}
    ((({{ promoters }} + {{ detractors }} + 1.5) / ({{ n }} + 3) - {{ net }} * {{ net }}) / ({{ n }} + 3))
{%- endmacro %}

{# Wilson 1927 for a share of n; null without any. #}
{% macro share_bound(sign, share, n) -%}
    case when {{ n }} > 0 then {{ round_double(wilson(sign, share, n)) }} end
{%- endmacro %}

{#
  The same for the change between two groups of different people, each given as its share and n, from
  the two Wilson intervals (Newcombe 1998, Statistics in Medicine 17, 873-890, method 10).
#}
{% macro share_change_bound(sign, before, after) -%}
    {% set other = '+' if sign == '-' else '-' -%}
    case
        when {{ before[1] }} > 0 and {{ after[1] }} > 0
            then {{ round_double(
                after[0] ~ ' - ' ~ before[0] ~ ' ' ~ sign
                ~ ' sqrt(power(' ~ after[0] ~ ' - ' ~ wilson(sign, *after) ~ ', 2)'
                ~ ' + power(' ~ before[0] ~ ' - ' ~ wilson(other, *before) ~ ', 2))'
            ) }}
    end
{%- endmacro %}

{# A bound of Wilson's, not rounded; an error where n is 0. #}
{% macro wilson(sign, share, n) -%}
    {% set z = z95() -%}
    (({{ share }} + {{ z }} * {{ z }} / (2 * {{ n }}) {{ sign }} {{ z }}
        * sqrt(greatest({{ share }} * (1 - {{ share }}), 0) / {{ n }}
            + {{ z }} * {{ z }} / (4 * {{ n }} * {{ n }})))
    / (1 + {{ z }} * {{ z }} / {{ n }}))
{%- endmacro %}

{#
  Student's t for a mean, from 30 values on and where they differ; mean_of_squares is that of the
  squared values.
#}
{% macro mean_bound(sign, mean, mean_of_squares, n) -%}
    case
        when {{ n }} >= 30 and {{ mean_variance(mean, mean_of_squares) }} > 1e-9
            then {{ round_double(
                mean ~ ' ' ~ sign ~ ' ' ~ student_t95('(' ~ n ~ ' - 1)')
                ~ ' * sqrt(' ~ mean_variance(mean, mean_of_squares) ~ ' / (' ~ n ~ ' - 1))'
            ) }}
    end
{%- endmacro %}

{#
  The same for the change between two groups of different people, each given as its mean, mean of
  squares and n: the two variances are added, with the degrees of freedom of Welch 1947 (Biometrika
  34, 28-35). Null where either group has no interval.
#}
{% macro mean_change_bound(sign, before, after) -%}
    {% set errors = [] -%}
    {% for group in [before, after] -%}
        {% do errors.append('(' ~ mean_variance(group[0], group[1]) ~ ' / (' ~ group[2] ~ ' - 1))') -%}
    {% endfor -%}
    {% set both = '(' ~ errors | join(' + ') ~ ')' -%}
    {% set df -%}
        (power({{ both }}, 2) / (
            power({{ errors[0] }}, 2) / ({{ before[2] }} - 1) + power({{ errors[1] }}, 2) / ({{ after[2] }} - 1)
        ))
    {%- endset -%}
    case
        when
            {{ before[2] }} >= 30 and {{ after[2] }} >= 30
            and {{ mean_variance(before[0], before[1]) }} > 1e-9
            and {{ mean_variance(after[0], after[1]) }} > 1e-9
            then {{ round_double(
                after[0] ~ ' - ' ~ before[0] ~ ' ' ~ sign ~ ' ' ~ student_t95(df) ~ ' * sqrt(' ~ both ~ ')'
            ) }}
    end
{%- endmacro %}

{# Variance of values, divided by their number. #}
{% macro mean_variance(mean, mean_of_squares) -%}
    ({{ mean_of_squares }} - {{ mean }} * {{ mean }})
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
