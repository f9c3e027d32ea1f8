-- About thirty figures per customer from a bank's relations: what a person would write in an hour.
-- No contract, no history, no identity across records, no audit, nothing is set aside.
with
owners as (
    select account, arg_min(customer, relation) as customer from account_parties group by account
),
latest as (
    select * from transactions
    qualify row_number() over (partition by txn_ref order by rev_no desc) = 1
),
money as (
    select
        customer,
        count(*) as transaction_count,
        count(distinct account) as account_count,
        sum(amount) filter (dc = 'C') as credit_amount,
        sum(amount) filter (dc = 'D') as debit_amount,
        max(amount) as largest_amount,
        median(amount) as median_amount,
        min(book_date) as first_booking,
        max(book_date) as last_booking,
        count(distinct book_date) as booking_days,
        count(*) filter (chan = 'BR') as branch_count,
        count(*) filter (chan = 'ATM') as atm_count,
        count(*) filter (chan in ('WEB', 'APP')) as online_count,
        count(*) filter (purpose_code = 'SAL') as salary_count,
        sum(amount) filter (purpose_code = 'FEE') as fee_amount,
        mode(counterparty) as usual_counterparty,
        arg_max(balance, entry_ts) as last_balance
    from latest
    join owners using (account)
    where state = 'B'
    group by customer
),
logins as (
    select
        customer,
        count(*) as event_count,
        count(distinct session) as session_count,
        count(distinct ts::date) as active_days,
        max(ts) as last_seen,
        count(*) filter (is_error) as error_count,
        mode(feature) as favourite_feature
    from app_events
    where customer is not null
    group by customer
),
calls as (
    select
        customer,
        count(*) as call_count,
        avg(handling_seconds) as handling_seconds,
        max(began) as last_call,
        count(*) filter (complaint <> '') as complaint_calls
    from call_logs
    group by customer
),
surveys as (
    select
        customer,
        count(*) as response_count,
        avg(value) filter (metric = 'NPS') as nps_answer,
        avg(value) filter (metric = 'CSAT') as csat_answer,
        max(submitted) as last_response
    from survey_responses
    group by customer
),
troubles as (
    select customer, count(*) as complaint_count, count(*) filter (state = 'OFFEN') as open_count
    from complaints
    group by customer
)
select *
from (select distinct customer from owners)
left join money using (customer)
left join logins using (customer)
left join calls using (customer)
left join surveys using (customer)
left join troubles using (customer)
