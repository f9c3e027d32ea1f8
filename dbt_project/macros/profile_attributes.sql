{# Attributes of a profile that come from its party records: name and type. How each is decided, seed survivorship says. #}
{% macro profile_attributes() -%}
    {{ return([
        ("party_type", type_text()),
        ("gender", type_text()),
        ("birth_year", "bigint"),
        ("city", type_text()),
        ("region", type_text()),
        ("branch_id", type_text()),
        ("status", type_text()),
        ("customer_since_date", "date"),
        ("has_marketing_consent", "boolean"),
    ]) }}
{%- endmacro %}
