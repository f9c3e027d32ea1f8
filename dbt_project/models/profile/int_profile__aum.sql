with

assets as (
    select
        *,
        min(case when account_count > 0 then asset_date end) over (partition by profile_id)
            as first_balance_date
    from {{ ref('int_profile__assets') }}
),

-- a month's end counts from the first known balance on, or of who never has one all the time; and
-- where nothing lacks a rate
judged as (
    select
        *,
        asset_date = {{ as_of() }} as is_now,
        asset_date in (
            {%- for day in month_ends(12) %}
            cast('{{ day }}' as date){{ "," if not loop.last }}
            {%- endfor %}
        )
        and unconverted_count = 0
        and coalesce(asset_date >= first_balance_date, true) as is_known_month
    from assets
),

aum as (
    select
        profile_id,
        max(case when is_now then deposit_amount end) as deposit_amount,
        max(case when is_now then investment_amount end) as investment_amount,
        max(case when is_now then aum_amount end) as aum_amount,
        max(case when is_now then unconverted_count end) as unconverted_asset_count,
        {{ average_money(
            'sum(case when is_known_month then aum_amount end)',
            count_if('is_known_month'),
        ) }} as aum_12m_mean_amount
    from judged
    group by profile_id
)

select * from aum
