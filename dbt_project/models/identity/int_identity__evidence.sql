with

parties as (
    select *
    from {{ ref('stg_parties') }}
    where valid_from <= {{ as_of() }}
),

-- A version holds from its own day, not from the beginning of time like the record: who held a
-- number first matters.
versions as (
    select
        party_id,
        phone_token,
        email_token,
        document_token,
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
        valid_from,
        valid_to
    from versions
    {{ "union all" if not loop.last }}
    {% endfor %}
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
    from identifiers
    where
        {{ is_evidence('identifier') }}
        and valid_from < valid_to
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
        max(valid_to) as valid_to
    from numbered
    group by identifier_type, identifier, party_id, period_number
)

select * from evidence
