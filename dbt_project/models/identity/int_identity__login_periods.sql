with

blocked as (
    select * from {{ source('raw', 'blocked_identifiers') }}
),

known as (
    select
        l.*,
        g.profile_id
    from {{ ref('int_identity__app_logins') }} as l
    left join {{ source('identity', 'party_groups') }} as g
        on l.party_id = g.party_id
    where l.business_date <= {{ as_of() }}
),

-- whom a party speaks for is the same on all days; the others keep each of theirs
in_turn as (
    select
        app_user_token,
        device_token,
        profile_id,
        min(business_date) as first_date,
        max(business_date) as last_date
    from known
    group by
        app_user_token,
        device_token,
        profile_id,
        case when profile_id is null then business_date end
),

logins as (
    select
        l.first_date,
        l.last_date,
        case when bu.identifier is null then l.app_user_token end as app_user_token,
        case when bd.identifier is null then l.device_token end as device_token,
        l.profile_id
    from in_turn as l
    left join blocked as bu
        on
            bu.identifier_type = 'app_user'
            and l.app_user_token = bu.identifier
    left join blocked as bd
        on
            bd.identifier_type = 'device'
            and l.device_token = bd.identifier
),

app_user_holders as (
    select
        'app_user' as identifier_type,
        app_user_token as identifier,
        profile_id,
        min(first_date) as first_date,
        max(last_date) as last_date
    from logins
    where
        app_user_token is not null
        and profile_id is not null
    group by app_user_token, profile_id
),

app_users as (
    {{ holder_periods('app_user_holders') | indent(4) }}
),

-- A login without a party speaks for the person of its login name; a name nobody is known for, for
-- a person of its own; a name of several, for nobody.
on_devices as (
    select
        l.device_token,
        l.first_date,
        l.last_date,
        coalesce(
            l.profile_id,
            u.profile_id,
            case when u.identifier is null then {{ prospect_id('l.app_user_token') }} end
        ) as profile_id
    from logins as l
    left join app_users as u
        on
            l.app_user_token = u.identifier
            and l.profile_id is null
            and l.first_date >= u.valid_from
            and l.first_date < u.valid_to
    where l.device_token is not null
),

device_holders as (
    select
        'device' as identifier_type,
        device_token as identifier,
        profile_id,
        min(first_date) as first_date,
        max(last_date) as last_date
    from on_devices
    where profile_id is not null
    group by device_token, profile_id
),

devices as (
    {{ holder_periods('device_holders') | indent(4) }}
),

login_periods as (
    select * from app_users
    union all
    select * from devices
)

select * from login_periods
