select
    score_no as score_id,
    cust_no as party_id,
    case engine
        when 'BETRUG' then 'fraud' when 'GELDW' then 'aml' when 'BONI' then 'credit' else engine
    end
        as score_name,
    wert as score,
    skala_von as scale_min,
    skala_bis as scale_max,
    case hoch_ist when 'schlecht' then 'true' when 'gut' then 'false' else hoch_ist end
        as is_high_bad,
    case klasse when 'A' then 'low' when 'B' then 'medium' when 'C' then 'high' else klasse end
        as band,
    zeitpunkt as scored_at,
    modell as model_version
from raw
