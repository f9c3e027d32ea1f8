{#- a scheme that partitions takes the first rule that holds, another all that hold -#}
{%- set schemes = segment_schemes() -%}
with

scored as (
    select * from {{ ref('int_segments__scored') }}
    where month_start > cast('{{ month_start(segment_months()) }}' as date)
),

rules as (
    select
        scheme,
        valid_from,
        priority,
        min(segment) as segment,
        min(reason) as reason
    from {{ ref('segment_rules') }}
    group by scheme, valid_from, priority
),

placed as (
    {%- for scheme in schemes %}
    {%- set outer = loop %}
    {%- if scheme.is_partition %}
    select
        profile_id,
        month_start,
        is_final,
        '{{ scheme.name }}' as scheme,
        {{ rule_version(scheme.name) | indent(8) }} as rule_version,
        {{ first_rule(scheme.name) | indent(8) }} as priority
    from scored
    {{ "union all" if not loop.last }}
    {%- else %}
    {%- for version in segment_rule_versions(scheme.name) %}
    {%- set middle = loop %}
    {%- for rule in version.rules %}
    select
        profile_id,
        month_start,
        is_final,
        '{{ scheme.name }}' as scheme,
        cast('{{ version.valid_from }}' as date) as rule_version,
        {{ rule.priority }} as priority
    from scored
    where
        {{ rule_version(scheme.name) | indent(8) }} = cast('{{ version.valid_from }}' as date)
        and {{ rule.bounds | join(' and ') or 'true' }}
    {{ "union all" if not (outer.last and middle.last and loop.last) }}
    {%- endfor %}
    {%- endfor %}
    {%- endif %}
    {%- endfor %}
),

named as (
    select
        p.profile_id,
        p.scheme,
        p.month_start,
        p.is_final,
        p.rule_version,
        cast(p.priority as bigint) as priority,
        r.segment,
        r.reason
    from placed as p
    inner join rules as r
        on
            p.scheme = r.scheme
            and p.rule_version = r.valid_from
            and p.priority = r.priority
)

select * from named
