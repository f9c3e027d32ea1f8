with

invitations as (
    select * from {{ ref('stg_survey_invitations') }}
    where business_date <= {{ as_of() }}
),

rules as (
    select * from {{ ref('int_cx__rules') }}
),

resolved as (
    {{ with_profile('invitations') | indent(4) }}
),

-- the first answer within the window; what comes later is no answer to it
answers as (
    select
        i.invitation_id,
        min(a.response_id) as response_id
    from invitations as i
    inner join {{ ref('int_cx__answers') }} as a
        on i.invitation_id = a.invitation_id
    cross join rules as r
    where a.business_date <= {{ add_days('i.business_date', 'r.response_window_days') }}
    group by i.invitation_id
)

select
    i.invitation_id,
    i.profile_id,
    i.business_date,
    {{ add_days('i.business_date', 'r.response_window_days') }} as final_date,
    i.question_id,
    i.survey_kind,
    i.channel,
    i.touchpoint,
    i.product,
    i.region,
    a.response_id
from resolved as i
cross join rules as r
left join answers as a on i.invitation_id = a.invitation_id
