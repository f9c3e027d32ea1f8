with

cells as (
    select * from {{ ref('int_cx__agent_cells') }}
),

rules as (
    select * from {{ ref('int_cx__rules') }}
),

measured as (
    select
        c.*,
        cast(c.n as double) as n_double,
        {{ divide('c.handle_seconds', 'c.n', 12) }} as mean_seconds,
        {{ divide('c.square_sum', 'c.n', 12) }} as mean_square,
        c.n >= r.reliable_from_n as is_reliable,
        c.n > 0 and c.n < r.identifying_below_n as is_small,
        c.n = 0 as is_empty
    from cells as c
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
    from measured
),

judged as (
    select
        *,
        is_small
        or (small_count = 1 and place = 1 and not is_empty) as is_hidden
    from placed
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
    from judged
)

select * from told
