-- Transactions. PRIJEM is a credit; VYDAJ and VYBER are debits. All are booked.
-- k_symbol says what for: DUCHOD pension, UROK interest, SANKC. UROK penalty interest, SLUZBY
-- statement fee,
-- SIPO household payment and POJISTNE insurance by standing order, UVER loan payment.
select
    trans_id as transaction_id,
    account_id,
    date as booked_date,
    amount,
    'USD' as currency,
    case type
        when 'PRIJEM' then 'credit' when 'VYDAJ' then 'debit' when 'VYBER' then 'debit' else type
    end as direction,
    'booked' as status,
    case
        when trim(k_symbol) = 'DUCHOD' then 'pension'
        when trim(k_symbol) = 'UROK' then 'interest'
        when trim(k_symbol) in ('SANKC. UROK', 'SLUZBY') then 'fee'
        when trim(k_symbol) = 'SIPO' then 'standing_order'
        when trim(k_symbol) = 'POJISTNE' then 'insurance'
        when trim(k_symbol) = 'UVER' then 'loan_payment'
        when operation = 'VKLAD' then 'deposit'
        when operation in ('VYBER', 'VYBER KARTOU') then 'withdrawal'
        when operation in ('PREVOD NA UCET', 'PREVOD Z UCTU') then 'transfer'
        else 'other'
    end as category,
    case
        when trim(k_symbol) in ('UROK', 'SANKC. UROK', 'SLUZBY') then 'system'
        when operation = 'VYBER KARTOU' then 'atm'
        when operation in ('VKLAD', 'VYBER') then 'branch'
    end as channel,
    nullif(concat_ws('/', nullif(trim(bank), ''), nullif(trim(account), '')), '') as counterparty,
    balance as balance_after_amount
from raw
