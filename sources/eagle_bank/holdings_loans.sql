-- Loans. Status A: finished, in order; B: finished, not paid; C: running, in order; D: running,
-- in debt. What is finished ended when it was due.
select
    loan_id as holding_id,
    'loan' as holding_type,
    purpose as product_code,
    account_id,
    fulldate as opened_date,
    (try_cast(fulldate as date) + to_months(try_cast(duration as integer)))::date as maturity_date,
    case
        when status in ('A', 'B')
            then (try_cast(fulldate as date) + to_months(try_cast(duration as integer)))::date
    end as closed_date,
    amount,
    'USD' as currency,
    case status
        when 'A' then 'closed'
        when 'B' then 'defaulted'
        when 'C' then 'active'
        when 'D' then 'active'
        else status
    end as status
from raw
