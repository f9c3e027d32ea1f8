with

current_versions as (
    {{ current_versions('accounts', key=['account_id'], version='updated_at') | indent(4) }}
),

accounts as (
    select
        account_id,
        account_type,
        product_code,
        currency,
        branch_id,
        opened_date,
        closed_date,
        status,
        updated_at,
        source,
        arrival_number
    from current_versions
)

select * from accounts
