with

person_days as (
    {%- for relation in [
        'int_cx__calls', 'int_cx__answers', 'int_cx__complaints', 'int_cx__invitations',
    ] %}
    select distinct
        profile_id,
        business_date
    from {{ ref(relation) }}
    {{ "union" if not loop.last }}
    {%- endfor %}
    union
    select distinct
        c.profile_id,
        x.closed_date as business_date
    from {{ ref('int_cx__closings') }} as x
    inner join {{ ref('int_cx__complaints') }} as c on x.complaint_id = c.complaint_id
),

parties as (
    select * from {{ ref('stg_parties') }}
    where region is not null
),

identity_map as (
    select * from {{ ref('identity_map') }}
    where identifier_type = 'party'
),

memberships as (
    select * from {{ ref('segment_membership') }}
    where scheme = 'rfm'
),

tiers as (
    select * from {{ ref('loyalty_tiers') }}
),

-- the versions valid on that day, so that who moves does not rewrite last month
regions as (
    select
        d.profile_id,
        d.business_date,
        p.region,
        row_number() over (
            partition by d.profile_id, d.business_date
            order by p.valid_from desc, p.party_id
        ) as preference
    from person_days as d
    inner join identity_map as i
        on
            d.profile_id = i.profile_id
            and d.business_date >= i.valid_from
            and d.business_date < i.valid_to
    inner join parties as p
        on
            i.identifier = p.party_id
            and d.business_date >= p.valid_from
            and d.business_date < coalesce(p.valid_to, {{ end_of_time() }})
),

-- segment and tier of the month before: that of the day's own month is not known on the day
months as (
    select
        *,
        {{ add_months(
            add_days('business_date', '1 - ' ~ day_of_month('business_date')), -1
        ) }} as month_before
    from person_days
)

select
    d.profile_id,
    d.business_date,
    r.region,
    s.segment,
    t.tier
from months as d
left join regions as r
    on
        d.profile_id = r.profile_id
        and d.business_date = r.business_date
        and r.preference = 1
left join memberships as s
    on
        d.profile_id = s.profile_id
        and d.month_before >= s.from_month
        and coalesce(d.month_before < s.left_date, true)
left join tiers as t
    on
        d.profile_id = t.profile_id
        and d.month_before = t.month_start
