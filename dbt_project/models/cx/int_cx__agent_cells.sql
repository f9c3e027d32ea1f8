{#-
  Handled calls by who took them first. A call that was passed on has seconds of several agents in its
  one sum, so they are nobody's. A window's sums are those of its days, which come in with their day
  and go out after it.
-#}
{%- set sums = [
    'handled_count', 'transferred_count', 'unknown_length_count', 'n', 'transfers_unknown_count',
    'handle_seconds', 'square_sum', 'transferred_n', 'transferred_seconds',
] -%}

with

observations as (
    select * from {{ ref('int_cx__call_observations') }}
    where metric = 'aht_seconds'
),

calls as (
    select * from {{ ref('int_cx__calls') }}
),

days as (
    select * from {{ ref('int_cx__days') }}
    where metric = 'aht_seconds'
),

windows as (
    select distinct window_days from days
),

handled as (
    select
        coalesce(c.agent_id, '(unknown)') as agent_id,
        o.metric_date,
        c.measured_handle_seconds as seconds,
        coalesce(c.transfer_count, 0) > 0 as is_transferred,
        c.transfer_count is null as is_transfer_unknown
    from observations as o
    inner join calls as c on o.observation_id = c.call_id
),

counted as (
    select
        agent_id,
        metric_date,
        count(*) as handled_count,
        {{ count_if('is_transferred') }} as transferred_count,
        {{ count_if('not is_transferred and seconds is null') }} as unknown_length_count,
        {{ count_if('not is_transferred and seconds is not null') }} as n,
        {{ count_if('is_transfer_unknown and seconds is not null') }} as transfers_unknown_count,
        coalesce(sum(case when not is_transferred then seconds end), 0) as handle_seconds,
        coalesce(sum(case when not is_transferred then seconds * seconds end), 0) as square_sum,
        {{ count_if('is_transferred and seconds is not null') }} as transferred_n,
        coalesce(sum(case when is_transferred then seconds end), 0) as transferred_seconds
    from handled
    group by agent_id, metric_date
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
    from counted
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
    where s.handled_count > 0
)

select * from rolled
