{#
  Survivorship: where party records of one person disagree, this model alone decides. The most recent version that
  says anything wins, then the smallest party_id; a few attributes have a rule of their own, below.
#}
{%- set attributes = [
    'party_type',
    'gender',
    'birth_year',
    'city',
    'region',
    'branch_id',
    'status',
] -%}

with

parties as (
    select * from {{ ref('stg_parties') }}
    where is_current
),

identity_map as (
    select * from {{ ref('identity_map') }}
    where identifier_type = 'party'
),

ranked as (
    select
        i.profile_id,
        p.*,
        row_number() over (
            partition by i.profile_id
            order by p.updated_at desc nulls last, p.party_id
        ) as preference
    from parties as p
    inner join identity_map as i
        on
            p.party_id = i.identifier
            and i.valid_from <= {{ as_of() }}
            and i.valid_to > {{ as_of() }}
),

decided as (
    select
        profile_id,
        cast(count(*) as bigint) as party_count,
        {%- for attribute in attributes %}
        {{ preferred(attribute) }} as {{ attribute }},
        {%- endfor %}
        -- a relationship begins with its first record, and is not told before; consent is what no
        -- record denies
        min(
            case when customer_since_date <= {{ as_of() }} then customer_since_date end
        ) as customer_since_date,
        bool_and(has_marketing_consent) as has_marketing_consent
    from ranked
    group by profile_id
)

select * from decided
