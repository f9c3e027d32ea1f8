with

cells as (
    select * from {{ ref('int_cx__cells') }}
),

days as (
    {{ rows_to_compute(ref('int_cx__days')) | indent(4) }}
),

medians as (
    select * from {{ ref('int_cx__medians') }}
),

rules as (
    select * from {{ ref('int_cx__rules') }}
),

described as (
    select
        c.*,
        d.is_final,
        d.digest,
        q.median_value,
        q.lower_value,
        q.upper_value,
        {{ divide('c.value_sum', 'c.n', 12) }} as mean_value,
        {{ divide('c.square_sum', 'c.n', 12) }} as mean_square,
        -- null where an answer has no weight; the last is Kish's, 1965
        {%- for name, sum, of_sum in [
            ('weighted_mean', 'c.weighted_sum', 'c.weight_sum'),
            ('weighted_mean_square', 'c.weighted_square_sum', 'c.weight_sum'),
            (
                'effective_n',
                'cast(c.weight_sum as double) * cast(c.weight_sum as double)',
                'c.weight_square_sum',
            ),
        ] %}
        case
            when c.n_weighted = c.n
                then {{ divide(sum, of_sum, 12) }}
        end as {{ name }}{{ "," if not loop.last }}
        {%- endfor %}
    from cells as c
    inner join days as d
        on
            c.metric = d.metric
            and c.window_days = d.window_days
            and c.metric_date = d.metric_date
    left join medians as q
        on
            c.is_median
            and c.counted_metric = q.metric
            and c.window_days = q.window_days
            and c.metric_date = q.metric_date
            and {{ cx_is_same_cell('c', 'q') | indent(12) }}
),

-- of a weighted net score and the share of those who are no passives follow both shares
counted as (
    select
        d.*,
        cast(d.n as double) as n_double,
        cast(d.promoter_count as double) as promoters,
        cast(d.detractor_count as double) as detractors,
        d.effective_n * (d.weighted_mean_square * 0.0001 + d.weighted_mean * 0.01) * 0.5
            as weighted_promoters,
        d.effective_n * (d.weighted_mean_square * 0.0001 - d.weighted_mean * 0.01) * 0.5
            as weighted_detractors,
        -- by n: weights become known weeks after the answers, and what was told stays told
        d.is_total or d.n >= r.reliable_from_n as is_reliable,
        coalesce(d.effective_n >= r.reliable_from_n, false) as is_reliable_weighted
    from described as d
    cross join rules as r
),

bounded as (
    select
        *,
        {%- for sign, bound in [('-', 'lower'), ('+', 'upper')] %}
        case interval_method
            when 'nps'
                then {{ nps_bound(sign, 'promoters', 'detractors', 'n_double') | indent(16) }}
            when 'share' then {{ share_bound(sign, 'mean_value', 'n_double') | indent(16) }}
            when 'mean'
                then {{ mean_bound(sign, 'mean_value', 'mean_square', 'n_double') | indent(16) }}
            when 'median' then {{ bound }}_value
        end as {{ bound }}_bound,
        case interval_method
            when 'nps'
                then {{ nps_bound(
                    sign, 'weighted_promoters', 'weighted_detractors', 'effective_n'
                ) | indent(16) }}
            when 'share' then {{ share_bound(sign, 'weighted_mean', 'effective_n') | indent(16) }}
            when 'mean'
                then {{ mean_bound(
                    sign, 'weighted_mean', 'weighted_mean_square', 'effective_n'
                ) | indent(16) }}
        end as weighted_{{ bound }}_bound,
        {%- endfor %}
        case
            when not is_final then null
            when is_total then cast(value_sum as double)
            when is_median then median_value
            else {{ round_double('mean_value') }}
        end as value
    from counted
)

select * from bounded
