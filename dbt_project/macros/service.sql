{#
  Handling time of a call: what the source measured of it, else the sum of its legs where all are there and timed,
  else answer to end, else, where the source logs only the agent's own service, start to end. A call that was queued
  waited first, so its start says nothing. After-call work is missing of the latter two; the metric's description
  says so.
#}
{% macro handle_seconds() -%}
coalesce(
            handle_seconds,
            case
                when timed_leg_count = leg_count and leg_count > coalesce(transfer_count, 0)
                    then leg_seconds
            end,
            {{ seconds_between('answered_at', 'ended_at') }},
            case when queued_at is null then {{ seconds_between('started_at', 'ended_at') }} end
        )
{%- endmacro %}
