{#-
  Weights against non-response (decision 0039): of a question and month, cells answer for as many as
  were invited in them. A cell of too few answers is pooled with others like it, in its region and
  then in the whole.
-#}
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

rules as (
    select * from {{ ref('int_cx__rules') }}
),

cells as (
    select
        question_id,
        month_number,
        region,
        channel,
        count(*) as invited_count,
        count(response_id) as answered_count
    from invitations
    -- a weight is told once, when nobody can answer any more
    where
        final_date <= {{ as_of() }}
        and month_number < {{ month_number(as_of()) }}
    group by question_id, month_number, region, channel
),

pooled_by_region as (
    select
        c.*,
        case when c.answered_count >= r.weight_cell_from_n then c.channel end as cell_channel,
        sum(c.answered_count) over (
            partition by
                c.question_id,
                c.month_number,
                c.region,
                case when c.answered_count >= r.weight_cell_from_n then c.channel end
        ) as region_count
    from cells as c
    cross join rules as r
),

pooled as (
    select
        p.*,
        case when p.region_count >= r.weight_cell_from_n then p.region end as cell_region
    from pooled_by_region as p
    cross join rules as r
),

summed as (
    select
        *,
        sum(invited_count) over cell as cell_invited,
        sum(answered_count) over cell as cell_answered,
        sum(invited_count) over question as question_invited,
        sum(answered_count) over question as question_answered
    from pooled
    window
        cell as (partition by question_id, month_number, cell_region, cell_channel),
        question as (partition by question_id, month_number)
),

capped as (
    select
        s.*,
        least(
            cast(r.weight_cap as double),
            {{ divide(
                'cast(s.cell_invited as double) * s.question_answered',
                'cast(s.question_invited as double) * s.cell_answered',
            ) }}
        ) as capped_weight
    from summed as s
    cross join rules as r
    where s.cell_answered > 0
),

scaled as (
    select
        *,
        {{ divide(
            'question_answered * cast(capped_weight as decimal(18, 6))',
            'sum(answered_count * cast(capped_weight as decimal(18, 6))) over (
                partition by question_id, month_number
            )',
        ) }} as weight
    from capped
)

select
    i.response_id,
    cast(s.weight as decimal(18, 6)) as weight
from invitations as i
inner join scaled as s
    on
        i.question_id = s.question_id
        and i.month_number = s.month_number
        and i.region = s.region
        and i.channel = s.channel
where i.response_id is not null
