with

parties as (
    select *
    from {{ ref('stg_parties') }}
    where valid_from <= {{ as_of() }}
),

blocked as (
    select * from {{ source('raw', 'blocked_identifiers') }}
),

-- A version holds from its own day, not from the beginning of time like the record: who held a
-- number first matters.
versions as (
    select
        party_id,
        phone_token,
        email_token,
        document_token,
        coalesce(document_type, '') || '|' || coalesce(document_issuer, '') as document_kind,
        is_document_verified,
        source,
        case
            when updated_at is null then {{ beginning_of_time() }}
            else {{ local_date('updated_at') }}
        end as valid_from,
        case when valid_to <= {{ as_of() }} then valid_to else {{ end_of_time() }} end as valid_to
    from parties
),

identifiers as (
    {% for type in ['phone', 'email', 'document'] %}
    select
        '{{ type }}' as identifier_type,
        {{ type }}_token as identifier,
        party_id,
        {{ "document_kind" if type == "document" else "cast(null as " ~ type_text() ~ ")" }}
            as document_kind,
        {{ "is_document_verified" if type == "document" else "false" }} as is_verified,
        source,
        valid_from,
        valid_to
    from versions
    {{ "union all" if not loop.last }}
    {%- endfor %}
),

usable as (
    select i.*
    from identifiers as i
    left join blocked as b
        on
            i.identifier_type = b.identifier_type
            and i.identifier = b.identifier
    where
        {{ is_evidence('i.identifier') }}
        and i.valid_from < i.valid_to
        and b.identifier is null
),

-- Versions that follow each other with the same identifier are one period.
marked as (
    select
        *,
        case
            when
                lag(valid_to) over (
                    partition by identifier_type, identifier, party_id
                    order by valid_from
                ) = valid_from
                then 0
            else 1
        end as is_start
    from usable
),

numbered as (
    select
        *,
        sum(is_start) over (
            partition by identifier_type, identifier, party_id
            order by valid_from
            rows between unbounded preceding and current row
        ) as period_number
    from marked
),

evidence as (
    select
        identifier_type,
        identifier,
        party_id,
        min(valid_from) as valid_from,
        max(valid_to) as valid_to,
        min(document_kind) as document_kind,
        bool_or(is_verified) as is_verified,
        count(*) as version_count,
        {{ distinct_list('source') }} as source
    from numbered
    group by identifier_type, identifier, party_id, period_number
)

select * from evidence
