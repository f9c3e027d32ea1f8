with

current_versions as (
    {{ current_versions('outreach', key=['outreach_id'], version='updated_at') | indent(4) }}
),

dated as (
    select
        *,
        {{ local_date('sent_at') }} as business_date,
        {{ is_by_as_of(local_date('delivered_at')) }} as is_delivery_known,
        {{ is_by_as_of(local_date('responded_at')) }} as is_response_known,
        {{ is_by_as_of(local_date('converted_at')) }} as is_conversion_known
    from current_versions
),

-- What happened after as_of is not known yet.
outreach as (
    select
        outreach_id,
        party_id,
        campaign,
        channel,
        sent_at,
        case when is_delivery_known then delivered_at end as delivered_at,
        case when is_response_known then responded_at end as responded_at,
        case when is_conversion_known then converted_at end as converted_at,
        updated_at,
        business_date,
        'party' as subject_type,
        party_id as subject,
        source,
        arrival_number
    from dated
    where business_date <= {{ as_of() }}
)

select * from outreach
