-- About thirty figures per customer, straight from the synthetic bank's files: what a person would write in an hour.
-- No contract, no history, no identity across records, no audit, nothing is set aside.
with
owners as (
    select CUST_NO as customer, ACCT_NO as account
    from read_csv('$inbox/*/account_parties_*.csv.gz', delim = ';', all_varchar = true, ignore_errors = true)
    where ROLE = 'KI'
    qualify row_number() over (partition by ACCT_NO order by REL_ID) = 1
),
money as (
    select
        customer,
        count(*) as transaction_count,
        count(distinct acct) as account_count,
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
    from (
        select *, try_cast(amt as decimal(18, 2)) as amount
        from read_csv('$inbox/*/transactions_*.csv.zst', all_varchar = true, ignore_errors = true)
        qualify row_number() over (partition by txn_ref order by rev_no desc) = 1
    )
    join owners on acct = account
    where state = 'B'
    group by customer
),
logins as (
    select
        usr as app_user,
        any_value(cust) as customer,
        count(*) as event_count,
        count(distinct sid) as session_count,
        count(distinct ts[:10]) as active_days,
        max(ts) as last_seen,
        count(*) filter (err) as error_count,
        mode(feat) as favourite_feature
    from read_json(
        '$inbox/*/app_events_*.jsonl.gz', format = 'newline_delimited', ignore_errors = true,
        columns = {
            id: 'varchar', ts: 'varchar', dev: 'varchar', usr: 'varchar', cust: 'varchar', sid: 'varchar',
            name: 'varchar', feat: 'varchar', os: 'varchar', err: 'boolean'
        }
    )
    where usr is not null
    group by usr
),
calls as (
    select
        Kunde as customer,
        count(*) as call_count,
        avg(try_cast("Bearbeitung_s" as int)) as handling_seconds,
        max(try_strptime(Beginn, '%d.%m.%Y %H:%M:%S')) as last_call,
        count(*) filter (Beschwerde <> '') as complaint_calls
    from read_csv(
        '$inbox/*/call_logs_*.csv', delim = ';', encoding = 'latin-1', all_varchar = true, ignore_errors = true
    )
    group by Kunde
),
surveys as (
    select
        customer,
        count(*) as response_count,
        avg(value) filter (metric = 'NPS') as nps_answer,
        avg(value) filter (metric = 'CSAT') as csat_answer,
        max(submitted) as last_response
    from read_json(
        '$inbox/*/survey_responses_*.jsonl', format = 'newline_delimited', ignore_errors = true,
        columns = {customer: 'varchar', metric: 'varchar', value: 'double', submitted: 'varchar'}
    )
    group by customer
),
complaints as (
    select customer, count(*) as complaint_count, count(*) filter (state = 'OFFEN') as open_count
    from read_csv('$inbox/*/complaints_*.csv', delim = ';', all_varchar = true, ignore_errors = true)
    group by customer
)
select *
from (select distinct customer from owners)
left join money using (customer)
left join (select * exclude (app_user) from logins where customer is not null) using (customer)
left join calls using (customer)
left join surveys using (customer)
left join complaints using (customer)
