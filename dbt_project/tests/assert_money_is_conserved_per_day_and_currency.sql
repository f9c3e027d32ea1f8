-- A returned row is a day and currency in which money was lost or made on the way: from accepted
-- transactions to sums per account (days in scope), or from there to the profiles and
-- 'unattributed' (every day).
with

accepted as (
    select
        business_date,
        currency,
        count(*) as transaction_count,
        sum(signed_amount) as net_amount,
        sum(amount) as gross_amount
    from {{ ref('stg_transactions') }}
    where
        is_booked
        and {{ in_scope('transactions', 'business_date', everything=flags.FULL_REFRESH) }}
    group by business_date, currency
),

summed as (
    select
        business_date,
        currency,
        sum(transaction_count) as transaction_count,
        sum(credit_amount - debit_amount) as net_amount,
        sum(credit_amount + debit_amount) as gross_amount
    from {{ ref('int_transactions__daily') }}
    group by business_date, currency
),

attributed as (
    select
        business_date,
        currency,
        sum(transaction_count) as transaction_count,
        sum(credit_amount - debit_amount) as net_amount,
        sum(credit_amount + debit_amount) as gross_amount
    from {{ ref('int_money__daily') }}
    group by business_date, currency
),

summed_in_scope as (
    select *
    from summed
    where {{ in_scope('transactions', 'business_date', everything=flags.FULL_REFRESH) }}
),

summed_by_as_of as (
    select *
    from summed
    where business_date <= {{ as_of() }}
),

{% set pairs = [
    ('accepted', 'summed_in_scope'),
    ('summed_in_scope', 'accepted'),
    ('summed_by_as_of', 'attributed'),
    ('attributed', 'summed_by_as_of'),
] %}
differing as (
    {% for one, other in pairs %}
    select
        '{{ one }}' as only_in,
        only_there.*
    from (
        select * from {{ one }}
        except
        select * from {{ other }}
    ) as only_there
    {{ "union all" if not loop.last }}
    {% endfor %}
)

select * from differing
