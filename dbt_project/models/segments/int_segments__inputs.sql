with

days as (
    select * from {{ ref('int_segments__days') }}
),

sums as (
    select * from {{ ref('int_segments__sums') }}
),

observed as (
    select min(first_active_date) as first_date from {{ ref('int_segments__activity') }}
),

relations as (
    select * from {{ ref('int_segments__relations') }}
),

balances as (
    select * from {{ ref('int_segments__balances') }}
),

attributes as (
    select * from {{ ref('customer_profile_history') }}
),

people as (
    select * from {{ ref('int_segments__people') }}
),

-- of whom no day is known is known since the bank tells of anybody
placed as (
    select
        p.profile_id,
        p.known_from_date,
        d.month_start,
        d.evaluation_date,
        d.is_final,
        {{ days_between('o.first_date', 'd.evaluation_date') }} + 1 as observed_days
    from people as p
    cross join observed as o
    inner join days as d on coalesce(p.known_from_date <= d.evaluation_date, true)
),

inputs as (
    select
        p.profile_id,
        p.month_start,
        p.evaluation_date,
        p.is_final,
        p.known_from_date,
        p.observed_days,
        cast(case when r.profile_id is null then 0 else 1 end as bigint) as is_customer,
        cast(coalesce(r.has_open_product, 0) as bigint) as has_open_product,
        coalesce(r.product_count, 0) as product_count,
        r.opened_date,
        {{ days_between('r.opened_date', 'p.evaluation_date') }} as tenure_days,
        cast(case when a.party_status = 'deceased' then 1 else 0 end as bigint) as is_deceased,
        {{ year_of('p.evaluation_date') }} - a.birth_year as age_years,
        s.last_active_date,
        -- no act is known to be older than the first day anything is known of
        least(
            coalesce(
                {{ days_between('s.last_active_date', 'p.evaluation_date') }},
                p.observed_days
            ),
            p.observed_days
        ) as inactive_days,
        coalesce(s.active_day_3m_count, 0) as active_day_3m_count,
        coalesce(s.active_day_prior_3m_count, 0) as active_day_prior_3m_count,
        coalesce(s.active_day_12m_count, 0) as active_day_12m_count,
        coalesce(s.initiated_12m_amount, 0) as initiated_12m_amount,
        {{ divide('s.app_day_12m_count', 's.active_day_12m_count') }} as app_day_12m_share,
        b.balance_amount,
        least(
            p.observed_days,
            coalesce({{ days_between('r.opened_date', 'p.evaluation_date') }}, p.observed_days)
        ) > 184 as is_seen_for_two_quarters
    from placed as p
    left join attributes as a
        on
            p.profile_id = a.profile_id
            and p.evaluation_date >= a.valid_from
            and coalesce(p.evaluation_date < a.valid_to, true)
    left join relations as r
        on
            p.profile_id = r.profile_id
            and p.month_start = r.month_start
    left join sums as s
        on
            p.profile_id = s.profile_id
            and p.month_start = s.month_start
    left join balances as b
        on
            p.profile_id = b.profile_id
            and p.month_start = b.month_start
),

-- whether the days of acting rose or fell: by how much, and by how many standard deviations of
-- chance (two Poisson counts); not told before both quarters were seen, nor of who is newer
changed as (
    select
        *,
        {%- for name, unit, digits in [
            ['share', 'active_day_prior_3m_count', 6],
            ['score', 'sqrt(active_day_3m_count + active_day_prior_3m_count)', 3],
        ] %}
        case
            when is_seen_for_two_quarters
                then {{ divide('active_day_3m_count - active_day_prior_3m_count', unit, digits) }}
        end as active_change_{{ name }}
        {{- "," if not loop.last }}
        {%- endfor %}
    from inputs
)

select * from changed
