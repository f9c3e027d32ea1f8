with

balances as (
    select
        party_id,
        {{ sum_integer('points') }} as points_balance_count
    from {{ ref('stg_points_entries') }}
    where business_date <= {{ as_of() }}
    group by party_id
),

expiring as (
    select
        party_id,
        {%- for days in points_windows() %}
        {{ sum_integer(
            'case when expires_date <= ' ~ add_days(as_of(), days) ~ ' then left_count end'
        ) }} as points_expiring_{{ days }}d_count,
        {%- endfor %}
        min(expires_date) as next_points_expiry_date
    from {{ ref('int_points__left') }}
    where
        expires_date > {{ as_of() }}
        and expires_date < {{ end_of_time() }}
    group by party_id
),

identity_map as (
    select * from {{ ref('identity_map') }}
    where
        identifier_type = 'party'
        and valid_from <= {{ as_of() }}
        and valid_to > {{ as_of() }}
),

-- each party record is an account of its own; a person has what its records have
summed as (
    select
        coalesce(identity_map.profile_id, 'unattributed') as profile_id,
        {{ sum_integer('balances.points_balance_count') }} as points_balance_count,
        {%- for days in points_windows() %}
        {%- set column = 'points_expiring_' ~ days ~ 'd_count' %}
        {{ sum_integer('expiring.' ~ column) }} as {{ column }},
        {%- endfor %}
        min(expiring.next_points_expiry_date) as next_points_expiry_date
    from balances
    left join expiring on balances.party_id = expiring.party_id
    left join identity_map on balances.party_id = identity_map.identifier
    group by coalesce(identity_map.profile_id, 'unattributed')
)

select * from summed
