with

accounts as (
    select * from {{ ref('stg_accounts') }}
),

holders as (
    select * from {{ ref('int_profile__account_holders') }}
),

-- an unknown opening date is taken as long ago, also that of an account no master knows
dated as (
    select
        account_id,
        account_type,
        opened_date,
        closed_date,
        status = 'closed' as is_closed,
        {{ is_by_as_of('opened_date') }} as was_opened,
        {{ is_by_as_of('opened_date') }}
        and coalesce(closed_date > {{ as_of() }}, status <> 'closed') as is_open
    from accounts
),

held as (
    select
        h.profile_id,
        h.part,
        h.account_id,
        d.account_type,
        d.opened_date,
        d.closed_date,
        coalesce(d.is_closed, false) as is_closed,
        coalesce(d.was_opened, true) as was_opened,
        coalesce(d.is_open, false) as is_open
    from holders as h
    left join dated as d on h.account_id = d.account_id
)

select * from held
