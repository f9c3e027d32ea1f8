{%- set rules = segment_rules() -%}
{%- set schemes = segment_schemes() -%}
{%- set overlapping = rules | rejectattr('is_partition') | list -%}
with

scored as (
    select
        s.*,
        d.month_bit
    from {{ ref('int_segments__scored') }} as s
    inner join {{ ref('int_segments__days') }} as d on s.month_start = d.month_start
    where s.month_start > cast('{{ month_start(segment_months()) }}' as date)
),

-- a scheme that partitions takes the first rule that holds
first_rules as (
    select
        *,
        {%- for scheme in schemes if scheme.is_partition %}
        case
            {%- for rule in rules if rule.scheme == scheme.name %}
            when {{ rule.condition }} then {{ rule.number }}
            {%- endfor %}
        end as {{ scheme.name }}_rule
        {{- "," if not loop.last }}
        {%- endfor %}
    from scored
),

-- another all that hold
held as (
    select
        profile_id,
        {%- for rule in rules %}
        {%- set is_first = rule.scheme ~ '_rule = ' ~ rule.number %}
        bit_or(
            case
                when {{ is_first if rule.is_partition else rule.condition }}
                    then month_bit
                else 0
            end
        ) as months_{{ rule.number }}
        {{- "," if not loop.last }}
        {%- endfor %}
    from first_rules
    group by profile_id
),

-- of overlapping schemes the first rule of all is the scheme primary
rules as (
    {%- for rule in rules %}
    {%- for scheme in [rule.scheme] + ([] if rule.is_partition else ['primary']) %}
    select
        {{ rule.number }} as rule_number,
        '{{ scheme }}' as scheme,
        '{{ rule.scheme }}' as rule_scheme,
        cast('{{ rule.valid_from }}' as date) as rule_version,
        cast({{ rule.priority }} as bigint) as priority
    {{ "union all" if not loop.last }}
    {%- endfor %}
    {{ "union all" if not loop.last }}
    {%- endfor %}
),

placed as (
    select
        h.profile_id,
        r.scheme,
        r.rule_scheme,
        r.rule_version,
        r.priority,
        case
            {%- set before = ['0'] %}
            {%- for rule in overlapping | sort(attribute='priority,scheme') %}
            {%- set months = 'months_' ~ rule.number %}
            when r.rule_number = {{ rule.number }} and r.scheme = 'primary'
                then h.{{ months }} & ~({{ before | join(' | ') }})
            {%- do before.append('h.' ~ months) %}
            {%- endfor %}
            {%- for rule in rules %}
            when r.rule_number = {{ rule.number }} then h.months_{{ rule.number }}
            {%- endfor %}
        end as months
    from held as h
    cross join rules as r
)

select * from placed
where months <> 0
