{#- sums over handled calls, by who took them first -#}
{%- set call_sums = [
    'handled_count', 'transferred_count', 'unsplit_count', 'unsplit_n', 'unsplit_seconds',
    'differing_n', 'difference_seconds',
] -%}

{#- sums over their legs, by who served them -#}
{%- set leg_sums = [
    'n', 'call_count', 'own_call_count', 'unknown_length_count', 'transfers_unknown_count',
    'handle_seconds', 'square_sum',
] -%}

with

observations as (
    select * from {{ ref('int_cx__call_observations') }}
    where metric = 'aht_seconds'
),

calls as (
    select * from {{ ref('int_cx__calls') }}
),

legs as (
    select * from {{ ref('int_cx__call_legs') }}
),

handled as (
    select
        c.call_id,
        coalesce(c.agent_id, '(unknown)') as agent_id,
        o.metric_date,
        c.measured_handle_seconds as seconds,
        c.leg_count is not null as has_legs,
        coalesce(c.transfer_count, c.leg_count - 1, 0) > 0 as is_transferred,
        c.transfer_count is null as is_transfer_unknown,
        c.leg_count is null and coalesce(c.transfer_count, 0) > 0 as is_unsplit,
        case
            when c.leg_count is not null
                then coalesce(c.measured_handle_seconds, 0) - coalesce(c.leg_seconds, 0)
        end as difference
    from observations as o
    inner join calls as c on o.observation_id = c.call_id
),

-- without legs a call that was not passed on is one
served as (
    select
        h.call_id,
        coalesce(l.agent_id, '(unknown)') as agent_id,
        h.metric_date,
        l.handle_seconds as seconds,
        coalesce(l.timed_number = 1, false) as is_first_timed,
        false as is_transfer_unknown
    from handled as h
    inner join legs as l on h.call_id = l.call_id
    union all
    select
        call_id,
        agent_id,
        metric_date,
        seconds,
        seconds is not null as is_first_timed,
        is_transfer_unknown
    from handled
    where not has_legs and not is_unsplit
),

by_call as (
    select
        agent_id,
        metric_date,
        count(*) as handled_count,
        {{ count_if('is_transferred') }} as transferred_count,
        {{ count_if('is_unsplit') }} as unsplit_count,
        {{ count_if('is_unsplit and seconds is not null') }} as unsplit_n,
        sum(case when is_unsplit then seconds end) as unsplit_seconds,
        {{ count_if('difference <> 0') }} as differing_n,
        sum(difference) as difference_seconds
    from handled
    group by agent_id, metric_date
),

by_leg as (
    select
        agent_id,
        metric_date,
        count(seconds) as n,
        count(distinct case when seconds is not null then call_id end) as call_count,
        {{ count_if('is_first_timed') }} as own_call_count,
        {{ count_if('seconds is null') }} as unknown_length_count,
        {{ count_if('is_transfer_unknown and seconds is not null') }} as transfers_unknown_count,
        sum(seconds) as handle_seconds,
        sum(seconds * seconds) as square_sum
    from served
    group by agent_id, metric_date
),

days as (
    select
        {%- for name in ['agent_id', 'metric_date'] %}
        coalesce(c.{{ name }}, l.{{ name }}) as {{ name }},
        {%- endfor %}
        {%- for name in call_sums %}
        cast(coalesce(c.{{ name }}, 0) as bigint) as {{ name }},
        {%- endfor %}
        {%- for name in leg_sums %}
        cast(coalesce(l.{{ name }}, 0) as bigint) as {{ name }}{{ "," if not loop.last }}
        {%- endfor %}
    from by_call as c
    full outer join by_leg as l
        on
            c.agent_id = l.agent_id
            and c.metric_date = l.metric_date
)

select * from days
