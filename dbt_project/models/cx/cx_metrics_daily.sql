with

observations as (
    select * from {{ ref('int_cx__observations') }}
),

registry as (
    select * from {{ ref('cx_metric_registry') }}
),

-- most persons have one observation of a day: only the others must be told apart
repeated as (
    select
        metric,
        metric_date,
        person_key
    from observations
    where is_counted
    group by metric, metric_date, person_key
    having count(*) > 1
),

marked as (
    select
        o.*,
        r.person_key as repeated_person_key
    from observations as o
    left join repeated as r
        on
            o.metric = r.metric
            and o.metric_date = r.metric_date
            and o.person_key = r.person_key
),

summed as (
    select
        metric,
        metric_date,
        case
            when grouping(channel) = 0 then 'channel'
            when grouping(region) = 0 then 'region'
            when grouping(product) = 0 then 'product'
            else 'total'
        end as dimension_set,
        case when grouping(channel) = 0 then channel else '(all)' end as channel,
        case when grouping(region) = 0 then region else '(all)' end as region,
        case when grouping(product) = 0 then product else '(all)' end as product,
        count(case when is_counted then 1 end) as n,
        count(case when is_counted and repeated_person_key is null then 1 end)
        + count(distinct repeated_person_key) filter (where is_counted) as n_persons,
        count(case when not is_left_out then 1 end) as n_answers,
        count(case when is_left_out then 1 end) as n_left_out,
        sum(case when is_counted then value end) as numerator_sum,
        count(case when is_counted and nps_class = 'promoter' then 1 end) as promoters,
        count(case when is_counted and nps_class = 'passive' then 1 end) as passives,
        count(case when is_counted and nps_class = 'detractor' then 1 end) as detractors,
        max(nps_class) is not null as is_nps,
        max(final_date) as final_date
    from marked
    group by grouping sets (
        (metric, metric_date),
        (metric, metric_date, channel),
        (metric, metric_date, region),
        (metric, metric_date, product)
    )
),

-- a day's rows become final together, so that parts always add up to the total
dated as (
    select
        *,
        {{ as_of() }} >= max(final_date) over (
            partition by metric, metric_date
        ) as is_final
    from summed
),

final as (
    select
        s.metric,
        s.metric_date,
        s.dimension_set,
        s.channel,
        s.region,
        s.product,
        s.n,
        s.n_persons,
        s.n_answers,
        s.n_left_out,
        cast(case when s.is_final then s.numerator_sum end as decimal(18, 6)) as numerator_sum,
        case
            when not s.is_final then null
            when r.adds_as = 'sum' then cast(s.numerator_sum as double)
            else {{ average('s.numerator_sum', 's.n') }}
        end as value,
        case when s.is_nps then s.promoters end as promoter_count,
        case when s.is_nps then s.passives end as passive_count,
        case when s.is_nps then s.detractors end as detractor_count,
        r.unit,
        s.is_final
    from dated as s
    inner join registry as r on s.metric = r.metric
)

select * from final
