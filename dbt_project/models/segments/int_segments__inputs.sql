with

days as (
    select * from {{ ref('int_segments__days') }}
),

activity as (
    select * from {{ ref('int_segments__activity') }}
),

observed as (
    select min(first_active_date) as first_date from activity
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

opened as (
    select
        profile_id,
        min(opened_date) as opened_date
    from relations
    group by profile_id
),

-- a record without any day has been there all the time
recorded as (
    select
        g.profile_id,
        min(
            coalesce(
                least({{ local_date('p.updated_at') }}, p.customer_since_date),
                {{ beginning_of_time() }}
            )
        ) as recorded_date
    from {{ ref('stg_parties') }} as p
    inner join {{ source('identity', 'party_groups') }} as g on p.party_id = g.party_id
    where p.valid_from <= {{ as_of() }}
    group by g.profile_id
),

sighted as (
    select
        p.profile_id,
        min(s.first_seen_date) as sighted_date
    from {{ ref('int_identity__prospects') }} as p
    inner join {{ ref('int_identity__subjects') }} as s
        on
            p.identifier_type = s.identifier_type
            and p.identifier = s.identifier
    group by p.profile_id
),

people as (
    select
        s.profile_id,
        least(n.first_seen_date, o.opened_date, r.recorded_date, i.sighted_date)
            as known_from_date
    from {{ ref('int_profile__spine') }} as s
    left join {{ ref('int_profile__seen') }} as n on s.profile_id = n.profile_id
    left join opened as o on s.profile_id = o.profile_id
    left join recorded as r on s.profile_id = r.profile_id
    left join sighted as i on s.profile_id = i.profile_id
    where s.profile_id <> 'unattributed'
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
    inner join days as d
        on
            d.evaluation_date >= coalesce(p.known_from_date, o.first_date)
            and (d.evaluation_date >= o.first_date or d.evaluation_date = {{ as_of() }})
),

summed as (
    select
        a.profile_id,
        w.month_start,
        {{ sum_integer('case when w.months_ago < 3 then a.active_day_count end') }}
            as active_day_3m_count,
        {{ sum_integer('case when w.months_ago between 3 and 5 then a.active_day_count end') }}
            as active_day_prior_3m_count,
        {{ sum_integer('a.active_day_count') }} as active_day_12m_count,
        {{ sum_integer('a.app_day_count') }} as app_day_12m_count,
        {{ sum_money('a.initiated_amount') }} as initiated_12m_amount,
        max(a.last_active_date) as last_active_date
    from activity as a
    inner join {{ ref('int_segments__windows') }} as w
        on
            a.month_number = w.month_number
            and a.is_late = w.is_late
    group by a.profile_id, w.month_start
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
        extract(year from p.evaluation_date) - a.birth_year as age_years,
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
    left join summed as s
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
        case
            when is_seen_for_two_quarters then {{ divide(
                'active_day_3m_count - active_day_prior_3m_count',
                'active_day_prior_3m_count',
            ) }}
        end as active_change_share,
        case
            when is_seen_for_two_quarters then {{ divide(
                'active_day_3m_count - active_day_prior_3m_count',
                'sqrt(active_day_3m_count + active_day_prior_3m_count)',
                3,
            ) }}
        end as active_change_score
    from inputs
)

select * from changed
