{# Balances of accounts: which of a day's bookings was the last. #}

{#
  CTEs up to `ranked`: bookings (start_amount, end_amount, day_start_amount) by how likely each was
  the last of its account_id and business_date, by closing_rank. Balances of real banks are
  rounded, so the day's start need not be what any booking started from: the nearest one counts.
#}
{% macro ranked_as_last(bookings) -%}
-- Two points per booking: what the day started from, were it the last, and what it started from.
points as (
    select
        *,
        true as is_day_start,
        day_start_amount as amount
    from {{ bookings }}
    union all
    select
        *,
        false as is_day_start,
        start_amount as amount
    from {{ bookings }}
),

-- The nearest start is the next one below or above.
neighbours as (
    select
        *,
        max(case when not is_day_start then amount end) over (
            partition by account_id, business_date, currency
            order by amount, is_day_start, transaction_id
            rows between unbounded preceding and current row
        ) as start_below,
        min(case when not is_day_start then amount end) over (
            partition by account_id, business_date, currency
            order by amount, is_day_start, transaction_id
            rows between current row and unbounded following
        ) as start_above
    from points
),

-- Several bookings may be as near; of those the last ended at what no other started from.
surpluses as (
    select
        account_id,
        business_date,
        currency,
        amount,
        sum(surplus) as surplus
    from (
        select
            account_id,
            business_date,
            currency,
            end_amount as amount,
            1 as surplus
        from {{ bookings }}
        union all
        select
            account_id,
            business_date,
            currency,
            start_amount as amount,
            -1 as surplus
        from {{ bookings }}
    ) as ends_and_starts
    group by account_id, business_date, currency, amount
),

ranked as (
    select
        n.account_id,
        n.business_date,
        n.currency,
        n.end_amount,
        row_number() over (
            partition by n.account_id, n.business_date
            order by
                least(n.amount - n.start_below, n.start_above - n.amount),
                s.surplus desc,
                n.occurred_at desc nulls last,
                n.transaction_id desc
        ) as closing_rank
    from neighbours as n
    inner join surpluses as s
        on
            n.account_id = s.account_id
            and n.business_date = s.business_date
            and n.currency = s.currency
            and n.end_amount = s.amount
    where n.is_day_start
)
{%- endmacro %}
