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

-- answers to its question within the window; what comes later is no answer to it
answers as (
    select
        i.invitation_id,
        a.response_id,
        row_number() over (
            partition by i.invitation_id
            order by a.responded_at, a.response_id
        ) as place
    from invitations as i
    inner join {{ ref('int_cx__answers') }} as a
        on
            i.invitation_id = a.invitation_id
            and i.question_id = a.question_id
    cross join rules as r
    where a.business_date <= {{ add_days('i.business_date', 'r.response_window_days') }}
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
left join answers as a
    on
        i.invitation_id = a.invitation_id
        and a.place = 1
