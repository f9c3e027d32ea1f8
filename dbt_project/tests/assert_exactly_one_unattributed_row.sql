-- A row returned is a number of unattributed rows other than one.
select count(*) as row_count
from {{ ref('customer_profile') }}
where profile_id = 'unattributed'
having count(*) <> 1
