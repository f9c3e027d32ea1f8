select distinct metric_date as spine_date
from {{ ref('int_cx__observations') }}
