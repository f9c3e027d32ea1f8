{#-
  Weights against non-response (decision 0039): of a question and month, cells answer for as many as
  were invited in them. Cells of too few answers are pooled, in their region, then in the whole, and
  with the smallest other one if they are too few even so.
-#}
{%- set months = 'question_id, month_number' -%}

with

invitations as (
    select
        question_id,
        {{ month_number('business_date') }} as month_number,
        coalesce(region, '(unknown)') as region,
        coalesce(channel, '(unknown)') as channel,
        response_id,
        max(final_date) over (
            partition by question_id, {{ month_number('business_date') }}
        ) as final_date
    from {{ ref('int_cx__invitations') }}
),

cells as (
    select
        {{ months }},
        region,
        channel,
        r.weight_cell_from_n,
        r.weight_cap,
        count(*) as invited_count,
        count(response_id) as answered_count,
        case when count(response_id) >= r.weight_cell_from_n then channel end as cell_channel
    from invitations
    cross join {{ ref('int_cx__rules') }} as r
    -- a weight is told once, when nobody can answer any more
    where
        final_date <= {{ as_of() }}
        and month_number < {{ month_number(as_of()) }}
    group by {{ months }}, region, channel, r.weight_cell_from_n, r.weight_cap
),

sized as (
    select
        *,
        sum(answered_count) over (partition by {{ months }}, region, cell_channel) as cell_count
    from cells
),

-- cells by size, the small ones apart
numbered as (
    select
        *,
        dense_rank() over (
            partition by {{ months }}, cell_count < weight_cell_from_n
            order by cell_count, region, coalesce(cell_channel, '')
        ) as place,
        sum(case when cell_count < weight_cell_from_n then answered_count end)
            over (partition by {{ months }}) < weight_cell_from_n as are_small_too_few
    from sized
),

pooled as (
    select
        *,
        case
            when cell_count < weight_cell_from_n or (are_small_too_few and place = 1) then 0
            else place
        end as cell
    from numbered
),

weighed as (
    select
        *,
        sum(answered_count) over question as question_answered,
        cast({{ divide(
            'cast(sum(invited_count) over cells as double) * sum(answered_count) over question',
            'cast(sum(answered_count) over cells as double) * sum(invited_count) over question',
        ) }} as decimal(18, 6)) as full_weight
    from pooled
    window
        cells as (partition by {{ months }}, cell),
        question as (partition by {{ months }})
),

-- what multiplies these and lighter answers, if the heavier have the cap and they share the rest
shared as (
    select
        *,
        {{ divide(
            'question_answered - weight_cap * coalesce(sum(answered_count) over heavier, 0)',
            'sum(answered_count * full_weight) over lighter',
            12,
        ) }} as factor
    from weighed
    window
        {%- set order = 'partition by ' ~ months ~ ' order by full_weight desc, region, channel' %}
        heavier as ({{ order }} rows between unbounded preceding and 1 preceding),
        lighter as ({{ order }} rows between current row and unbounded following)
),

scaled as (
    select
        *,
        full_weight * max(case when factor * full_weight <= weight_cap then factor end)
            over (partition by {{ months }}) as weight
    from shared
)

select
    i.response_id,
    cast(least(s.weight, s.weight_cap) as decimal(18, 6)) as weight
from invitations as i
inner join scaled as s
    on
        i.question_id = s.question_id
        and i.month_number = s.month_number
        and i.region = s.region
        and i.channel = s.channel
where i.response_id is not null
