with

origins as (
    select * from {{ ref('profile_column_origins') }}
),

delivered as (
    select distinct
        feed,
        source
    from {{ source('raw', 'deliveries') }}
),

fed as (
    select
        o.column_name,
        {{ distinct_list('d.feed') }} as delivered_feeds,
        {{ distinct_list('d.source') }} as source_systems
    from origins as o
    inner join delivered as d on ', ' || o.feeds || ',' like '%, ' || d.feed || ',%'
    group by o.column_name
),

profile_columns as (
    select
        origins.column_name,
        origins.column_number,
        origins.label_en,
        origins.label_zh,
        origins.unit,
        origins.time_window,
        origins.domain,
        origins.feeds,
        fed.delivered_feeds,
        fed.source_systems,
        origins.models,
        origins.seeds,
        origins.shown_in
    from origins
    left join fed on origins.column_name = fed.column_name
)

select * from profile_columns
