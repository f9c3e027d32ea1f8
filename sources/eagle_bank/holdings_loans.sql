-- Loans. Status A: finished, in order; B: finished, not paid; C: running, in order; D: running,
-- in debt.
select
    loan_id as holding_id,
    'loan' as holding_type,
    purpose as product_code,
    account_id,
    fulldate as opened_date,
    (try_cast(fulldate as date) + to_months(try_cast(duration as integer)))::date as maturity_date,
    amount,
    'USD' as currency,
    case status
        when 'A' then 'closed' when 'B' then 'defaulted' when 'C' then 'active' when
            'D'
            then 'active' else status
    end
        as status
from raw
