with

accounts as (
    select * from {{ ref('stg_accounts') }}
),

holders as (
    select * from {{ ref('int_profile__account_holders') }}
),

-- an unknown opening date is taken as long ago
dated as (
    select
        account_id,
        opened_date,
        {{ is_by_as_of('opened_date') }} as was_opened,
        {{ is_by_as_of('opened_date') }}
        and coalesce(closed_date > {{ as_of() }}, status <> 'closed') as is_open
    from accounts
),

held as (
    select
        h.profile_id,
        h.part,
        d.*
    from dated as d
    inner join holders as h on d.account_id = h.account_id
)

select * from held
