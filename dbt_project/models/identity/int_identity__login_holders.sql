with

-- Each combination once: from here on it does not matter how often or when it was seen.
logins as (
    select
        app_user_token,
        device_token,
        party_id
    from {{ ref('int_identity__app_logins') }}
    where business_date <= {{ as_of() }}
    group by app_user_token, device_token, party_id
),

party_groups as (
    select * from {{ source('identity', 'party_groups') }}
),

known as (
    select
        logins.app_user_token,
        logins.device_token,
        party_groups.profile_id
    from logins
    left join party_groups
        on logins.party_id = party_groups.party_id
),

app_users as (
    select
        'app_user' as identifier_type,
        app_user_token as identifier,
        count(distinct profile_id) as holder_count,
        min(profile_id) as profile_id
    from known
    where
        app_user_token is not null
        and profile_id is not null
    group by app_user_token
),

-- A login without a party speaks for the person of its login name, where that is one.
on_devices as (
    select
        known.device_token,
        coalesce(known.profile_id, app_users.profile_id) as profile_id
    from known
    left join app_users
        on
            known.app_user_token = app_users.identifier
            and app_users.holder_count = 1
    where known.device_token is not null
),

devices as (
    select
        'device' as identifier_type,
        device_token as identifier,
        count(distinct profile_id) as holder_count,
        min(profile_id) as profile_id
    from on_devices
    where profile_id is not null
    group by device_token
),

login_holders as (
    select * from app_users
    union all
    select * from devices
)

select * from login_holders
