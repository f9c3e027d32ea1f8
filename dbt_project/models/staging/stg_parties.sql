with

versions as (
    {{ distinct_versions('parties', key=['party_id'], version='updated_at') | indent(4) }}
),

-- The first version speaks for all the time before it, once as_of has reached it: a party whose
-- first version is dated later does not exist yet.
periods as (
    select
        *,
        case
            when
                row_number() over (
                    partition by party_id
                    order by updated_at nulls first
                ) > 1
                or {{ local_date('updated_at') }} > {{ as_of() }}
                then {{ local_date('updated_at') }}
            else {{ beginning_of_time() }}
        end as valid_from,
        lead({{ local_date('updated_at') }}) over (
            partition by party_id
            order by updated_at nulls first
        ) as valid_to
    from versions
),

parties as (
    select
        party_id,
        party_type,
        name_token,
        given_name_token,
        family_name_token,
        birth_date_token,
        coalesce(is_birth_date_verified, false) as is_birth_date_verified,
        birth_year,
        gender,
        document_token,
        document_type,
        document_issuer,
        document_valid_until,
        coalesce(is_document_verified, false) as is_document_verified,
        phone_token,
        email_token,
        address_token,
        postcode_token,
        city,
        region,
        branch_id,
        customer_since_date,
        status,
        has_marketing_consent,
        updated_at,
        valid_from,
        valid_to,
        valid_from <= {{ as_of() }}
        and (valid_to is null or valid_to > {{ as_of() }}) as is_current,
        source,
        arrival_number
    from periods
)

select * from parties
