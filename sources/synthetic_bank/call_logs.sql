select
    Ruf_ID as call_id,
    Beginn as started_at,
    Kunde as party_id,
    Rufnummer as phone,
    case Richtung when 'E' then 'inbound' when 'A' then 'outbound' else Richtung end as direction,
    Warteschlange as queue,
    Anliegen as topic,
    case Ergebnis
        when 'BEARBEITET' then 'handled'
        when 'ABGEBROCHEN' then 'abandoned'
        when 'NICHT_ANGEBOTEN' then 'not_offered'
        when 'UNBEKANNT' then 'unknown'
        else Ergebnis
    end as outcome,
    Agent as agent_id,
    Eingereiht as queued_at,
    Angenommen as answered_at,
    Ende as ended_at,
    Bearbeitung_s as handle_seconds,
    Weiterleitungen as transfer_count,
    Beschwerde as complaint_id,
    Notiz as notes
from raw
