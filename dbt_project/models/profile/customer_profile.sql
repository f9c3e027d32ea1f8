{%- set domains = [
    'relationship',
    'balances',
    'aum',
    'money',
    'joint_money',
    'rhythm',
    'channels',
    'app',
    'digital',
    'service',
    'complaints',
    'experience',
    'personas',
] + optional_domains() -%}

with

person as (
    select * from {{ ref('int_profile__person') }}
),

feeds as (
    select * from {{ ref('int_profile__fed') }}
),

{% for domain in domains -%}
{{ domain }} as (
    select * from {{ ref('int_profile__' ~ domain) }}
),

{% endfor -%}

segments as (
    select * from {{ ref('int_segments__current') }}
),

customer_profile as (
    select
        person.*,

        -- products
        {%- set accounts, money = ['accounts', 'account_parties'], 'decimal(18, 2)' %}
        {%- set products = accounts + ['holdings'] %}
        {{- zeros_where_fed(
            'relationship', ['account_open_count', 'joint_account_open_count'], accounts
        ) }}
        relationship.first_account_opened_date,
        {%- for type in holding_types() + ['product_type'] %}
        {{- zeros_where_fed('relationship', [type ~ '_count'], 'holdings') }}
        {%- endfor %}
        {{- zeros_where_fed('relationship', ['holding_depth_count'], products) }}
        {{- zeros_where_fed('relationship', ['is_single_product'], products, 'boolean') }}
        {{- zeros_where_fed('relationship', ['is_maturing_90d'], 'holdings', 'boolean') }}
        relationship.next_maturity_date,

        -- money, in the reporting currency
        '{{ var("reporting_currency") }}' as currency,
        balances.balance_amount,
        balances.joint_balance_amount,
        balances.balance_date,
        {{- zeros_where_fed('balances', ['unconverted_balance_count'], 'transactions') }}
        {{- zeros_where_fed('aum', ['deposit_amount', 'investment_amount'], 'holdings', money) }}
        aum.aum_amount,
        aum.aum_12m_mean_amount,
        coalesce(aum.unconverted_asset_count, 0) as unconverted_asset_count,
        {{- columns_where_fed('money', money_measures(), 'transactions') }}
        {{- columns_where_fed('joint_money', joint_money_measures(), 'transactions') }}
        money.last_transaction_date,
        rhythm.transaction_interval_median_days,
        rhythm.next_transaction_expected_date,

        -- channels
        channels.preferred_channel,
        channels.channel_day_90d_count,
        {%- for channel in contact_channels() %}
        channels.{{ channel }}_90d_share,
        {%- endfor %}

        -- app and online banking
        app.last_login_at,
        app.last_app_event_date,
        {{- columns_where_fed('app', app_day_measures(), 'app_events') }}
        {{- columns_where_fed('app', app_session_measures(), 'app_events') }}
        {{- columns_where_fed('app', app_measures(), 'app_events') }}
        app.app_platforms,
        app.app_features,
        {{- zeros_where_fed(
            'app', ['app_feature_90d_count', 'app_event_unknown_90d_count'], 'app_events'
        ) }}
        {{- zeros_where_fed('app', ['app_feature_weight_90d_share'], 'app_events', 'double') }}
        digital.is_app_active_30d,
        digital.app_stickiness_30d_share,
        digital.digital_adoption_index,
        digital.is_digital_migration_candidate,

        -- service
        service.last_call_at,
        {{- columns_where_fed('service', service_measures(), 'call_logs') }}
        {{- zeros_where_fed('complaints', ['complaint_count'], 'complaints') }}
        {{- zeros_where_fed('complaints', ['open_complaint_count'], 'complaints') }}
        complaints.last_complaint_date,
        {{- optional_columns() }}

        -- experience
        {%- for family in question_families() %}
        experience.{{ family }}_last_score,
        experience.{{ family }}_mean_365d_score,
        {{- zeros_where_fed('experience', [family ~ '_answer_365d_count'], 'survey_responses') }}
        experience.{{ family }}_last_answer_date,
        {%- endfor %}
        {{- zeros_where_fed('experience', ['answer_lifetime_count'], 'survey_responses') }}
        {%- for persona in personas() %}
        personas.is_{{ persona }},
        {%- endfor %}

        -- stage, segments and tier of the month of as_of
        {%- for column in segment_columns() %}
        segments.{{ column }}
        {{- "," if not loop.last }}
        {%- endfor %}
    from person
    cross join feeds
    {%- for domain in domains %}
    left join {{ domain }} on person.profile_id = {{ domain }}.profile_id
    {%- endfor %}
    left join segments on person.profile_id = segments.profile_id
)

select * from customer_profile
