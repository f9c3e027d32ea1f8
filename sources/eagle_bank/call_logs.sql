-- Calls. ser_start and ser_exit are the agent's service, so there is no wait and no queue entry
-- to be had. Rows without a call id carry only phone and times: how they ended is unknown. PHANTOM
-- calls never reached anybody. Transfers are not logged.
select
    call_id,
    date_received || ' ' || ser_start as started_at,
    client_id as party_id,
    phonefinal as phone,
    'inbound' as direction,
    vruline as queue,
    type as topic,
    case trim(outcome)
        when 'AGENT' then 'handled' when 'HANG' then 'abandoned' when
            'PHANTOM'
            then 'not_offered' when '' then 'unknown'
        else coalesce(outcome, 'unknown')
    end as outcome,
    nullif(server, 'NO_SERVER') as agent_id,
    date_received || ' ' || ser_exit as ended_at,
    case trim(outcome) when 'AGENT' then date_diff(
        'second', try_strptime(ser_start, '%H:%M:%S'), try_strptime(ser_exit, '%H:%M:%S')
    ) end as handle_seconds,
    complaint_id
from raw
