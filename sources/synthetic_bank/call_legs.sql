select
    Abschnitt as leg_id,
    Ruf_ID as call_id,
    Agent as agent_id,
    Beginn as began_at,
    Bearbeitung_s as handle_seconds
from raw
