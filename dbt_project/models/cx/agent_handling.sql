with

cells as (
    select * from {{ ref('int_cx__agent_cells') }}
),

rules as (
    select * from {{ ref('int_cx__rules') }}
),

-- what the total of handling time is made of: agents, and what legs do not tell of calls; each
-- call is one part's own, so several parts are of no fewer calls than they own together
parts as (
    select
        window_days,
        metric_date,
        agent_id,
        call_count,
        own_call_count
    from cells
    {%- for name, calls, own_calls in [
        ('(unsplit)', 'unsplit_n', 'unsplit_n'),
        ('(differing)', 'differing_n', '0'),
    ] %}
    union all
    select
        window_days,
        metric_date,
        '{{ name }}' as agent_id,
        {{ sum_integer(calls) }} as call_count,
        {{ sum_integer(own_calls) }} as own_call_count
    from cells
    group by window_days, metric_date
    {%- endfor %}
),

sized as (
    select
        p.*,
        p.call_count > 0 and p.call_count < r.identifying_below_n as is_small,
        p.own_call_count > 0 and p.call_count >= r.identifying_below_n as is_cover
    from parts as p
    cross join rules as r
),

placed as (
    select
        *,
        max(case when is_small then call_count end) over days as largest_small_count,
        sum(case when is_small then own_call_count end) over days as small_own_count,
        row_number() over (
            partition by window_days, metric_date, is_cover
            order by call_count, agent_id
        ) as place
    from sized
    window days as (partition by window_days, metric_date)
),

-- small parts hide each other if they are of more calls than any of them; else one more does
marked as (
    select
        *,
        is_small
        or coalesce(is_cover and place = 1 and small_own_count <= largest_small_count, false)
            as is_hidden
    from placed
),

measured as (
    select
        c.*,
        cast(c.n as double) as n_double,
        {{ divide('c.handle_seconds', 'c.n', 12) }} as mean_seconds,
        {{ divide('c.square_sum', 'c.n', 12) }} as mean_square,
        c.call_count >= r.reliable_from_n as is_reliable,
        m.is_hidden
    from cells as c
    inner join marked as m
        on
            c.window_days = m.window_days
            and c.metric_date = m.metric_date
            and c.agent_id = m.agent_id
    cross join rules as r
),

told as (
    select
        agent_id,
        metric_date,
        cast(window_days as int) as window_days,
        handled_count,
        n,
        call_count,
        transferred_count,
        unsplit_count,
        unknown_length_count,
        transfers_unknown_count,
        case when not is_hidden then handle_seconds end as handle_seconds,
        case when is_reliable and not is_hidden then {{ round_double('mean_seconds') }} end
            as aht_seconds,
        {%- for sign, bound in [('-', 'lower'), ('+', 'upper')] %}
        case
            when is_reliable and not is_hidden
                then {{ mean_bound(sign, 'mean_seconds', 'mean_square', 'n_double') | indent(16) }}
        end as {{ bound }}_bound,
        {%- endfor %}
        is_reliable,
        is_hidden
    from measured
)

select * from told
