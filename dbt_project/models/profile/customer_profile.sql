{%- set domains = [
    'attributes',
    'relationship',
    'balances',
    'money',
    'joint_money',
    'channels',
    'app',
    'service',
    'complaints',
    'experience',
    'seen',
] + optional_domains() -%}

with

spine as (
    select * from {{ ref('int_profile__spine') }}
),

feeds as (
    select * from {{ ref('int_profile__fed') }}
),

{% for domain in domains -%}
{{ domain }} as (
    select * from {{ ref('int_profile__' ~ domain) }}
),

{% endfor -%}

customer_profile as (
    select
        spine.*,
        case
            when spine.profile_id = 'unattributed' then 'unattributed'
            when relationship.is_customer then 'customer'
            else 'prospect'
        end as profile_type,
        attributes.party_type = 'organisation' as is_organisation,
        attributes.status as party_status,
        attributes.gender,
        attributes.birth_year,
        attributes.city,
        attributes.region,
        attributes.branch_id,
        attributes.has_marketing_consent,
        attributes.customer_since_date,
        seen.seen_in_feeds,
        seen.first_seen_date,
        seen.last_seen_date,

        -- relationship
        {%- for column in ['account_open', 'joint_account_open'] %}
        {{ zero_where_fed('relationship.' ~ column ~ '_count', ['accounts', 'account_parties']) }}
            as {{ column }}_count,
        {%- endfor %}
        relationship.first_account_opened_date,
        {%- for type in holding_types() + ['product_type'] %}
        {{ zero_where_fed('relationship.' ~ type ~ '_count', 'holdings') }} as {{ type }}_count,
        {%- endfor %}
        relationship.next_maturity_date,

        -- money, in the reporting currency
        '{{ var("reporting_currency") }}' as currency,
        balances.balance_amount,
        balances.joint_balance_amount,
        balances.balance_date,
        {{ zero_where_fed('balances.unconverted_balance_count', 'transactions') }}
            as unconverted_balance_count,
        {{- columns_where_fed('money', money_measures(), 'transactions') }}
        {{- columns_where_fed('joint_money', joint_money_measures(), 'transactions') }}
        money.last_transaction_date,

        -- channels
        channels.preferred_channel,
        channels.channel_day_90d_count,
        {%- for channel in contact_channels() %}
        channels.{{ channel }}_90d_share,
        {%- endfor %}

        -- app
        app.last_login_at,
        app.last_app_event_date,
        {%- for days in [30, 90] %}
        {{ zero_where_fed('app.app_active_day_' ~ days ~ 'd_count', 'app_events') }}
            as app_active_day_{{ days }}d_count,
        {{ zero_where_fed('app.app_session_' ~ days ~ 'd_count', 'app_events') }}
            as app_session_{{ days }}d_count,
        {%- endfor %}
        {{- columns_where_fed('app', app_measures(), 'app_events', [30, 90]) }}
        app.app_platforms,

        -- service
        service.last_call_at,
        {{- columns_where_fed('service', service_measures(), 'call_logs') }}
        {{ zero_where_fed('complaints.complaint_count', 'complaints') }} as complaint_count,
        {{ zero_where_fed('complaints.open_complaint_count', 'complaints') }}
            as open_complaint_count,
        complaints.last_complaint_date,
        {{- optional_columns() }}

        -- experience
        {%- for family in question_families() %}
        experience.{{ family }}_last_score,
        experience.{{ family }}_mean_365d_score,
        {{ zero_where_fed('experience.' ~ family ~ '_answer_365d_count', 'survey_responses') }}
            as {{ family }}_answer_365d_count,
        experience.{{ family }}_last_answer_date
        {{- "," if not loop.last }}
        {%- endfor %}
    from spine
    cross join feeds
    {%- for domain in domains %}
    left join {{ domain }} on spine.profile_id = {{ domain }}.profile_id
    {%- endfor %}
)

select * from customer_profile
