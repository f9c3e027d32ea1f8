with

sums as (
    select * from {{ ref('int_segments__sums') }}
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

inputs as (
    select
        s.profile_id,
        s.month_start,
        s.evaluation_date,
        s.is_final,
        s.observed_days,
        cast(case when r.profile_id is null then 0 else 1 end as bigint) as is_customer,
        cast(coalesce(r.has_open_product, 0) as bigint) as has_open_product,
        coalesce(r.product_count, 0) as product_count,
        r.opened_date,
        {{ days_between('r.opened_date', 's.evaluation_date') }} as tenure_days,
        cast(case when a.party_status = 'deceased' then 1 else 0 end as bigint) as is_deceased,
        {{ year_of('s.evaluation_date') }} - a.birth_year as age_years,
        s.last_active_date,
        -- no act is known to be older than the first day anything is known of
        least(
            coalesce(
                {{ days_between('s.last_active_date', 's.evaluation_date') }},
                s.observed_days
            ),
            s.observed_days
        ) as inactive_days,
        s.active_day_3m_count,
        s.active_day_prior_3m_count,
        s.active_day_12m_count,
        s.initiated_12m_amount,
        {{ divide('s.app_day_12m_count', 's.active_day_12m_count') }} as app_day_12m_share,
        b.balance_amount,
        least(
            s.observed_days,
            coalesce({{ days_between('r.opened_date', 's.evaluation_date') }}, s.observed_days)
        ) > 184 as is_seen_for_two_quarters
    from sums as s
    left join attributes as a
        on
            s.profile_id = a.profile_id
            and s.evaluation_date >= a.valid_from
            and coalesce(s.evaluation_date < a.valid_to, true)
    left join relations as r
        on
            s.profile_id = r.profile_id
            and s.month_start = r.month_start
    left join balances as b
        on
            s.profile_id = b.profile_id
            and s.month_start = b.month_start
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
