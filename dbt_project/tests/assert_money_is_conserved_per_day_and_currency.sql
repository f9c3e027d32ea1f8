-- A returned row is a day and currency in scope in which money was lost or made on the way from
-- accepted transactions to sums per account. That profiles and 'unattributed' hold all of it, on
-- every day, is another test (assert_profiles_and_unattributed_hold_all_booked_money).
{% set is_in_scope = in_scope(
    'transactions',
    'business_date',
    account='account_id',
    everything=flags.FULL_REFRESH,
) %}
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
        and {{ is_in_scope }}
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
    where {{ is_in_scope }}
    group by business_date, currency
),

differing as (
    {% for one, other in [('accepted', 'summed'), ('summed', 'accepted')] %}
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
