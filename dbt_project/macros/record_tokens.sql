{# Tokens of a party record that identity reads. #}
{% macro record_tokens() -%}
    {{ return([
        "name_token",
        "given_name_token",
        "family_name_token",
        "birth_date_token",
        "document_token",
        "phone_token",
        "email_token",
        "address_token",
        "postcode_token",
    ]) }}
{%- endmacro %}
