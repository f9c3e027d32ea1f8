{#- A window's sums are those of its days, which come in with their day and go out after it. -#}
{%- set sums = [
    'handled_count', 'transferred_count', 'unsplit_count', 'unsplit_n', 'unsplit_seconds',
    'differing_n', 'difference_seconds', 'n', 'call_count', 'own_call_count',
    'unknown_length_count', 'transfers_unknown_count', 'handle_seconds', 'square_sum',
] -%}

with

agent_days as (
    select * from {{ ref('int_cx__agent_days') }}
),

days as (
    select * from {{ ref('int_cx__days') }}
    where metric = 'aht_seconds'
),

windows as (
    select distinct window_days from days
),

changes as (
    {%- for day, sign in [('metric_date', ''), (add_days('metric_date', 'window_days'), '-')] %}
    select
        agent_id,
        window_days,
        {{ day }} as change_date,
        {%- for name in sums %}
        {{ sign }}{{ name }} as {{ name }}{{ "," if not loop.last }}
        {%- endfor %}
    from agent_days
    cross join windows
    {{ "union all" if not loop.last }}
    {%- endfor %}
),

changed as (
    select
        agent_id,
        window_days,
        change_date,
        {%- for name in sums %}
        sum({{ name }}) as {{ name }}{{ "," if not loop.last }}
        {%- endfor %}
    from changes
    where change_date <= {{ as_of() }}
    group by agent_id, window_days, change_date
),

summed as (
    select
        agent_id,
        window_days,
        change_date,
        lead(change_date) over agents as next_change_date,
        {%- for name in sums %}
        cast(sum({{ name }}) over agents as bigint) as {{ name }}{{ "," if not loop.last }}
        {%- endfor %}
    from changed
    window agents as (partition by agent_id, window_days order by change_date)
),

-- a row a day, once the whole window lies in the days handling time is known of
rolled as (
    select
        s.*,
        d.metric_date
    from summed as s
    inner join days as d
        on
            s.window_days = d.window_days
            and s.change_date <= d.metric_date
            and coalesce(s.next_change_date > d.metric_date, true)
    where s.handled_count + s.n + s.unknown_length_count > 0
)

select * from rolled
