{#
  The subject of an event: the strongest identifier the event itself carries. Events keep it for
  ever; who it is, identity_map says later.
#}

{# A token that can be evidence: present, and of a value that could be normalised. #}
{% macro is_evidence(token) -%}
    ({{ token }} is not null and {{ token }} not like '%?%')
{%- endmacro %}

{#
  Type of a token (k1:phone:…): phone or email; null for none and for one that is no evidence.
  By like: split_part in a branch of case over a column that is null throughout is an internal
  error of DuckDB 2.0.0.
#}
{% macro contact_type(token) -%}
    case
        when {{ token }} like '%:phone:%' then 'phone'
        when {{ token }} like '%:email:%' then 'email'
    end
{%- endmacro %}

{#
  Columns subject_type and subject: the party, else the first of the (type, token) pairs that
  can be evidence.
#}
{% macro subject_columns(tokens) -%}
    case
        when party_id is not null then 'party'
    {%- for type, token in tokens %}
        when {{ is_evidence(token) }} then '{{ type }}'
    {%- endfor %}
    end as subject_type,
    case
        when party_id is not null then party_id
    {%- for type, token in tokens %}
        when {{ is_evidence(token) }} then {{ token }}
    {%- endfor %}
    end as subject
{%- endmacro %}
