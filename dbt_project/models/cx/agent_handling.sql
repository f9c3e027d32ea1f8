with

cells as (
    select * from {{ ref('int_cx__agent_cells') }}
),

rules as (
    select * from {{ ref('int_cx__rules') }}
),

-- what the total of handling time is made of: agents, and the calls that were passed on
parts as (
    select
        window_days,
        metric_date,
        agent_id,
        n
    from cells
    union all
    select
        window_days,
        metric_date,
        '(passed on)' as agent_id,
        {{ sum_integer('transferred_n') }} as n
    from cells
    group by window_days, metric_date
),

sized as (
    select
        p.*,
        p.n > 0 and p.n < r.identifying_below_n as is_small,
        p.n = 0 as is_empty
    from parts as p
    cross join rules as r
),

-- what is hidden would follow from the others of the day if it were the only one
placed as (
    select
        *,
        {{ count_if('is_small') }} over (partition by window_days, metric_date) as small_count,
        row_number() over (
            partition by window_days, metric_date, is_small, is_empty
            order by n, agent_id
        ) as place
    from sized
),

measured as (
    select
        c.*,
        cast(c.n as double) as n_double,
        {{ divide('c.handle_seconds', 'c.n', 12) }} as mean_seconds,
        {{ divide('c.square_sum', 'c.n', 12) }} as mean_square,
        c.n >= r.reliable_from_n as is_reliable,
        p.is_small or (p.small_count = 1 and p.place = 1 and not p.is_empty) as is_hidden
    from cells as c
    inner join placed as p
        on
            c.window_days = p.window_days
            and c.metric_date = p.metric_date
            and c.agent_id = p.agent_id
    cross join rules as r
),

told as (
    select
        agent_id,
        metric_date,
        cast(window_days as int) as window_days,
        handled_count,
        n,
        transferred_count,
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
