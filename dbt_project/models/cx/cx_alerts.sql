{%- set series = ['rule', 'rule_version', 'dimension_set'] + cx_dimensions() -%}

with

rules as (
    select * from {{ ref('cx_alert_rules') }}
),

days as (
    select
        *,
        metric_date as business_date
    from {{ ref('int_cx__alert_days') }}
),

{{ episodes(series) }},

described as (
    select
        e.*,
        r.metric,
        r.owner,
        r.expected_false_per_series_year,
        r.told_within_days,
        -- what a rule watches no longer is over
        coalesce(
            e.closed_date,
            case when r.valid_to <= {{ as_of() }} then r.valid_to end
        ) as ended_date
    from episodes as e
    inner join rules as r
        on
            e.rule = r.rule
            and e.rule_version = r.rule_version
),

worst as (
    select
        {%- for column in series %}
        e.{{ column }},
        {%- endfor %}
        e.opened_date,
        case when d.is_high_bad then max(d.value) else min(d.value) end as worst_value
    from described as e
    inner join breaches as d
        on
            e.first_breach_date <= d.business_date
            and e.last_breach_date >= d.business_date
            {%- for column in series %}
            and e.{{ column }} = d.{{ column }}
            {%- endfor %}
    group by
        {%- for column in series %}
        e.{{ column }},
        {%- endfor %}
        e.opened_date,
        d.is_high_bad
),

alerts as (
    select
        e.rule || ':' || e.dimension_set
        {%- for dimension in cx_dimensions() %}
        || case when e.{{ dimension }} = '(all)' then '' else ':' || e.{{ dimension }} end
        {%- endfor %}
        || ':' || cast(e.opened_date as {{ type_text() }}) as alert_id,
        {%- for column in series %}
        e.{{ column }},
        {%- endfor %}
        e.metric,
        e.opened_date,
        e.first_breach_date,
        e.last_breach_date as last_seen_date,
        e.ended_date as closed_date,
        e.breach_day_count as breach_count,
        e.reopened_count,
        e.reopened_date,
        w.worst_value,
        d.n as opening_n,
        d.value as opening_value,
        d.lower_bound as opening_lower_bound,
        d.upper_bound as opening_upper_bound,
        d.level as opening_benchmark_value,
        e.owner,
        e.expected_false_per_series_year,
        e.told_within_days
    from described as e
    inner join worst as w
        on
            e.opened_date = w.opened_date
            {%- for column in series %}
            and e.{{ column }} = w.{{ column }}
            {%- endfor %}
    inner join days as d
        on
            e.opened_date = d.business_date
            {%- for column in series %}
            and e.{{ column }} = d.{{ column }}
            {%- endfor %}
)

select * from alerts
