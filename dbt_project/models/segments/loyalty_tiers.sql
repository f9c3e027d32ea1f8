{%- set grace_months = profile_rule('loyalty_grace_months') | int -%}
with

customers as (
    select
        profile_id,
        month_start,
        {{ month_number('month_start') }} as month_number,
        evaluation_date,
        is_final,
        initiated_12m_amount as spend_amount,
        coalesce(balance_amount, 0) as balance_amount,
        active_day_12m_count as active_day_count
    from {{ ref('int_segments__inputs') }}
    where has_open_product = 1
),

rules as (
    select * from {{ ref('int_segments__tier_rules') }}
),

-- a tier is reached by spending or by balance, and by being active
reached as (
    select
        c.profile_id,
        c.month_start,
        max(r.rank) as reached_rank
    from customers as c
    inner join rules as r
        on
            c.evaluation_date >= r.in_force_from
            and c.evaluation_date < r.in_force_until
            and (c.spend_amount >= r.spend_amount or c.balance_amount >= r.balance_amount)
            and c.active_day_count >= r.active_day_count
    group by c.profile_id, c.month_start
),

-- it is kept for some months after; the same a month before says what was held then
held as (
    select
        c.*,
        r.reached_rank,
        {%- for name, ago in [('held', 0), ('last_held', 1)] %}
        max(r.reached_rank) over (
            partition by c.profile_id
            order by c.month_number
            range between {{ grace_months + ago }} preceding and {{ ago }} preceding
        ) as {{ name }}_rank,
        {%- endfor %}
        count(*) over (
            partition by c.profile_id
            order by c.month_number
            range between 1 preceding and 1 preceding
        ) = 0 as is_new,
        min(c.month_number) over () = c.month_number as is_first_month
    from customers as c
    inner join reached as r
        on
            c.profile_id = r.profile_id
            and c.month_start = r.month_start
),

loyalty_tiers as (
    select
        m.profile_id,
        m.month_start,
        own.tier,
        m.is_final,
        case
            when m.is_first_month then null
            when m.is_new then 'new'
            when m.held_rank > m.last_held_rank then 'up'
            when m.held_rank < m.last_held_rank then 'down'
            when m.reached_rank < m.held_rank then 'warning'
            else 'keep'
        end as movement,
        m.spend_amount as spend_12m_amount,
        m.balance_amount,
        m.active_day_count as active_day_12m_count,
        upper.tier as next_tier,
        -- spending or balance closes the gap of money, whichever comes first
        {%- for name, tier in [('keep', 'own'), ('next', 'upper')] %}
        {%- for money in ['spend', 'balance'] %}
        case
            when {{ tier }}.tier is null then null
            when m.spend_amount >= {{ tier }}.spend_amount then 0
            when m.balance_amount >= {{ tier }}.balance_amount then 0
            else {{ tier }}.{{ money }}_amount - m.{{ money }}_amount
        end as {{ name }}_{{ money }}_gap_amount,
        {%- endfor %}
        case
            when {{ tier }}.tier is null then null
            when m.active_day_count >= {{ tier }}.active_day_count then 0
            else {{ tier }}.active_day_count - m.active_day_count
        end as {{ name }}_active_day_gap_count,
        {%- endfor %}
        own.valid_from as rule_version
    from held as m
    inner join rules as own
        on
            m.evaluation_date >= own.in_force_from
            and m.evaluation_date < own.in_force_until
            and least(m.held_rank, own.top_rank) = own.rank
    left join rules as upper
        on
            own.valid_from = upper.valid_from
            and own.rank + 1 = upper.rank
    -- the oldest months are there to look back at
    where m.month_start >= cast('{{ month_start(segment_months() - 1 - grace_months) }}' as date)
)

select * from loyalty_tiers
