-- The synthetic bank's files as relations, with their types: what does not parse is null or left out.
create temp view account_parties as
select CUST_NO as customer, ACCT_NO as account, REL_ID as relation
from read_csv('$inbox/account_parties_*.csv.gz', delim = ';', all_varchar = true, ignore_errors = true)
where ROLE = 'KI';

create temp view transactions as
select
    txn_ref,
    acct as account,
    try_cast(book_date as date) as book_date,
    try_cast(entry_ts as timestamp) as entry_ts,
    try_cast(amt as decimal(18, 2)) as amount,
    dc,
    state,
    purpose_code,
    chan,
    counterparty,
    try_cast(balance as decimal(18, 2)) as balance,
    try_cast(rev_no as int) as rev_no
from read_csv('$inbox/transactions_*.csv.zst', all_varchar = true, ignore_errors = true, union_by_name = true);

create temp view app_events as
select usr as app_user, cust as customer, sid as session, try_cast(ts as timestamp) as ts, feat as feature, err as is_error
from read_json(
    '$inbox/app_events_*.jsonl.gz', format = 'newline_delimited', ignore_errors = true,
    columns = {usr: 'varchar', cust: 'varchar', sid: 'varchar', ts: 'varchar', feat: 'varchar', err: 'boolean'}
);

create temp view call_logs as
select
    Kunde as customer,
    try_cast("Bearbeitung_s" as int) as handling_seconds,
    try_strptime(Beginn, '%d.%m.%Y %H:%M:%S') as began,
    Beschwerde as complaint
from read_csv(
    '$inbox/call_logs_*.csv', delim = ';', encoding = 'latin-1', all_varchar = true, ignore_errors = true
);

create temp view survey_responses as
select customer, metric, value, try_cast(submitted as timestamp) as submitted
from read_json(
    '$inbox/survey_responses_*.jsonl', format = 'newline_delimited', ignore_errors = true,
    columns = {customer: 'varchar', metric: 'varchar', value: 'double', submitted: 'varchar'}
);

create temp view complaints as
select customer, state
from read_csv('$inbox/complaints_*.csv', delim = ';', all_varchar = true, ignore_errors = true)
