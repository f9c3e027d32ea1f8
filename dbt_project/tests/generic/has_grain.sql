{#
  The grain: at most one row per value of the columns, where null counts as a value; and of the columns
  `never_null` every row has one. One test for both, because dbt takes longer to begin a test than most
  of them take. A failing row says which key, or which column. For a table incremental by business_date
  `feed` limits the check to what is in scope of that feed, unless everything is built: the days, of
  accounts those in scope on a day.
#}
{% test has_grain(model, columns, never_null=none, feed=none) %}
{%- set scope = 'true' -%}
{%- if feed -%}
{%- set account = "account_id" if "account_id" in columns -%}
{%- set scope = in_scope(feed, "business_date", account=account, everything=flags.FULL_REFRESH) -%}
{%- endif %}

select
    'repeated' as problem,
    concat_ws(
        ', '
        {%- for column in columns %}, cast({{ column }} as {{ type_text() }}){% endfor %}
    ) as key_or_column,
    count(*) as row_count
from {{ model }}
where {{ scope }}
group by {{ columns | join(", ") }}
having count(*) > 1
{%- if never_null %}
union all
select
    'null' as problem,
    column_name as key_or_column,
    row_count
from ({{ null_columns(model, never_null, scope) }}) as null_columns
{%- endif %}

{% endtest %}
