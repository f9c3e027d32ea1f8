{#
  Handling time of a call: what the source measured, else answer to end, else, where the source logs only the
  agent's own service, start to end. A call that was queued waited first, so its start says nothing. After-call
  work is then missing; the metric's description says so.
#}
{% macro handle_seconds() -%}
coalesce(
            handle_seconds,
            {{ seconds_between('answered_at', 'ended_at') }},
            case when queued_at is null then {{ seconds_between('started_at', 'ended_at') }} end
        )
{%- endmacro %}
