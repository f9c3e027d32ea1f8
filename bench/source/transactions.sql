select
    txn_ref as transaction_id,
    acct as account_id,
    book_date as booked_date,
    entry_ts as occurred_at,
    amt as amount,
    ccy as currency,
    case dc when 'C' then 'credit' when 'D' then 'debit' else dc end as direction,
    case state
        when 'P' then 'pending' when 'B' then 'booked' when 'R' then 'reversed' else state
    end
        as status,
    case purpose_code
        when 'POS' then 'payment'
        when 'ATM' then 'withdrawal'
        when 'TRF' then 'transfer'
        when 'DEP' then 'deposit'
        when 'SAL' then 'salary'
        when 'PEN' then 'pension'
        when 'INT' then 'interest'
        when 'FEE' then 'fee'
        when 'STO' then 'standing_order'
        when 'LOAN' then 'loan_payment'
        when 'INS' then 'insurance'
        when 'OTH' then 'other'
        else purpose_code
    end as category,
    case chan
        when 'BR' then 'branch'
        when 'ATM' then 'atm'
        when 'POS' then 'pos'
        when 'WEB' then 'online'
        when 'APP' then 'app'
        when 'SYS' then 'system'
        else chan
    end as channel,
    counterparty,
    balance as balance_after_amount,
    remittance_text as description,
    rev_no as version_number
from raw
