{#- the open month first; a month that ends with as_of is over -#}
with

days as (
    {%- for k in range(segment_months() + 1) %}
    select
        {{ month_number("cast('" ~ month_start(k) ~ "' as date)") }} as month_number,
        cast('{{ month_start(k) }}' as date) as month_start,
        {%- if k == 0 %}
        {{ as_of() }} as evaluation_date,
        {{ is_month_over() | lower }} as is_final
        {%- else %}
        cast('{{ day_after(month_start(k - 1), -1) }}' as date) as evaluation_date,
        true as is_final
        {%- endif %}
    {{ "union all" if not loop.last }}
    {%- endfor %}
)

select * from days
