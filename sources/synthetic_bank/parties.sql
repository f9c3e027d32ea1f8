select
    KUNDEN_NR as party_id,
    case PERSONENART when 'N' then 'person' when 'J' then 'organisation' else PERSONENART end
        as party_type,
    trim(concat_ws(' ', VORNAME, NACHNAME)) as full_name,
    case PERSONENART when 'N' then VORNAME end as given_name,
    case PERSONENART when 'N' then NACHNAME end as family_name,
    GEBURTSDATUM as birth_date,
    case GEBURT_GEPRUEFT when 'J' then 'true' when 'N' then 'false' else GEBURT_GEPRUEFT end
        as is_birth_date_verified,
    GEBURTSJAHR as birth_year,
    case GESCHLECHT
        when 'W' then 'female' when 'M' then 'male' when 'D' then 'other' else GESCHLECHT
    end
        as gender,
    AUSWEIS_NR as document_number,
    'identity_card' as document_type,
    'DE' as document_issuer,
    AUSWEIS_GUELTIG_BIS as document_valid_until,
    case AUSWEIS_GEPRUEFT when 'J' then 'true' when 'N' then 'false' else AUSWEIS_GEPRUEFT end
        as is_document_verified,
    TELEFON as phone,
    EMAIL as email,
    STRASSE || ', ' || PLZ || ' ' || ORT as address,
    PLZ as postcode,
    ORT as city,
    BUNDESLAND as region,
    FILIALE as branch_id,
    KUNDE_SEIT as customer_since_date,
    case STATUS
        when 'A' then 'active' when 'G' then 'closed' when 'V' then 'deceased' else STATUS
    end
        as status,
    case WERBUNG when 'J' then 'true' when 'N' then 'false' else WERBUNG end
        as has_marketing_consent,
    GEAENDERT_AM as updated_at
from raw
