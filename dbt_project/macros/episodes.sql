{#
  Common table expressions of episodes, from a CTE days: columns of keys, which name a series; business_date; state (breach,
  clear, or null for a day that does not count); opens_after, closes_after and reopens_within_days, the same throughout
  a series. Days may be missing; they do not count either.

  An episode opens on the last of opens_after breaches in a row among the days that count, and closes on the last of
  closes_after clear ones. One that would open within reopens_within_days after another closed is that other one again. So
  what is told of a day depends on it and on days before only: day by day makes the same episodes as all at once.

  The last CTE, episodes, has a row per keys and opened_date: first_breach_date (of the run that opened it),
  last_breach_date, closed_date (null while it is open), breach_day_count, reopened_count, reopened_date (of the last time).
#}
{% macro episodes(keys) -%}
{%- set key = keys | join(', ') -%}
{%- set of_series = [] -%}
{%- for name in keys %}{% do of_series.append('e.' ~ name ~ ' = b.' ~ name) %}{% endfor -%}
counted as (
    select
        *,
        row_number() over (partition by {{ key }} order by business_date)
        - row_number() over (partition by {{ key }}, state order by business_date) as run
    from days
    where state is not null
),

placed as (
    select
        *,
        row_number() over (partition by {{ key }}, state, run order by business_date) as place,
        min(business_date) over (partition by {{ key }}, state, run) as run_date
    from counted
),

-- a series is hot or not from such a day on; what it was already changes nothing
turns as (
    select
        *,
        lag(state) over (partition by {{ key }} order by business_date) as state_before
    from placed
    where
        (state = 'breach' and place = opens_after)
        or (state = 'clear' and place = closes_after)
),

switches as (
    select
        *,
        lag(business_date) over (partition by {{ key }} order by business_date) as closed_before,
        lead(business_date) over (partition by {{ key }} order by business_date) as closed_date
    from turns
    where
        (state = 'breach' and coalesce(state_before, 'clear') = 'clear')
        or (state = 'clear' and state_before = 'breach')
),

openings as (
    select
        *,
        case
            when {{ days_between('closed_before', 'business_date') }} <= reopens_within_days then 0
            else 1
        end as is_new
    from switches
    where state = 'breach'
),

numbered as (
    select
        *,
        sum(is_new) over (
            partition by {{ key }}
            order by business_date
            rows between unbounded preceding and current row
        ) as episode
    from openings
),

spans as (
    select
        {{ key }},
        min(business_date) as opened_date,
        min(run_date) as first_breach_date,
        case when count(closed_date) = count(*) then max(closed_date) end as closed_date,
        count(*) - 1 as reopened_count,
        case when count(*) > 1 then max(business_date) end as reopened_date
    from numbered
    group by {{ key }}, episode
),

breaches as (
    select * from counted
    where state = 'breach'
),

episodes as (
    select
        {%- for name in keys %}
        e.{{ name }},
        {%- endfor %}
        e.opened_date,
        e.first_breach_date,
        max(b.business_date) as last_breach_date,
        e.closed_date,
        count(*) as breach_day_count,
        e.reopened_count,
        e.reopened_date
    from spans as e
    inner join breaches as b
        on
            {{ of_series | join(' and ') }}
            and e.first_breach_date <= b.business_date
            and coalesce(e.closed_date, {{ end_of_time() }}) >= b.business_date
    group by
        {%- for name in keys %}
        e.{{ name }},
        {%- endfor %}
        e.opened_date,
        e.first_breach_date,
        e.closed_date,
        e.reopened_count,
        e.reopened_date
)
{%- endmacro %}
