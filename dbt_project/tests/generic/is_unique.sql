{#
  The grain: at most one row per value of the columns; null counts as a value. For a table
  incremental by business_date `feed` limits the check to what is in scope of that feed, unless
  everything is built: the days, of accounts those in scope on a day.
#}
{% test is_unique(model, columns, feed=none) %}

select
    {{ columns | join(", ") }},
    count(*) as row_count
from {{ model }}
{%- if feed %}
{%- set account = "account_id" if "account_id" in columns %}
where {{ in_scope(feed, "business_date", account=account, everything=flags.FULL_REFRESH) }}
{%- endif %}
group by {{ columns | join(", ") }}
having count(*) > 1

{% endtest %}
