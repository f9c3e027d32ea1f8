-- A row returned is a touchpoint of a day that as_of does not know yet.
select *
from {{ ref('customer_timeline') }}
where business_date > {{ as_of() }}
