-- A row returned is a feature of the app that weighs one thing here and another there.
select app_feature
from {{ ref('app_features') }}
group by app_feature
having count(distinct weight) > 1
