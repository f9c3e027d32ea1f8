"""### Take a day's deliveries

One run per delivery day (the partition), from the midnight that ends it. Each feed lands as its files come. The day
is closed when everything its sources promise (`arrives` in source.yaml) is in, or at the cut-off (`CX360_CUT_OFF`).
Closing it emits the asset `cx360_deliveries`, which starts `profile` for that day.

**A file that comes late** joins its day while it is open. After that it is taken by the next night, and readers see it
then; to have its own day told anew, see `profile`. **What was missing** when a day was closed is in the result of
`close_day` and in `ops.day_closings`; `cx360 status` shows it.

**When `list_feeds` is red**: a source.yaml cannot be read; the message says where. Mend it and clear the task.

**When `land` is red**: its folder cannot be read or the disk is full. The message names what. Mend it and clear the
task; what landed before is not taken twice. Until the cut-off the day waits for it. A broken file or a wrong mapping
does not make this task red: the delivery is in `ops.deliveries` with outcome `unreadable` and what to do.

**When `check` is red**: deliveries were blocked. They are kept, nobody sees their rows, and the day goes on without
them. `cx360 quarantine list` says which rule, what was expected and what was found. Ask the sender for a better file,
mend the mapping and `cx360 replay`, or decide with `cx360 quarantine release|drop`. Then clear `check`: the day is
closed and built anew, with what you decided.

**When `close_day` is red**: PostgreSQL was not reachable. Clear the task. **`all_passed`** does nothing: it makes the
run red when anything above is.

**A run started by hand at night** is queued until the night's own run has ended: days are taken one at a time, and that
run waits for files until the cut-off.

**Connections** that break are tried again twice; nothing else is.

More in `docs/runbook.md`; `cx360 doctor` says what is wrong.

**A month anew**: `airflow backfill create --dag-id deliveries --from-date 2026-03-01 --to-date 2026-03-31
--reprocess-behavior completed --max-active-runs 1`. A day that never ran needs no `--reprocess-behavior`.
"""

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, Param, chain, task

from cx360.airflow_tasks import (
    DEFAULT_ARGS,
    DELIVERIES,
    NIGHT_SECONDS,
    POKE_SECONDS,
    close_day,
    delivery_days,
    land,
    list_feeds,
    run_step,
)
from cx360.pipeline import check

with DAG(
    dag_id="deliveries",
    description="Land the files of a delivery day, let them through their gates, close the day",
    doc_md=__doc__,
    schedule=delivery_days(),
    catchup=False,
    max_active_runs=1,
    tags=["cx360", "deliveries"],
    default_args=DEFAULT_ARGS,
    params={
        "until": Param(
            None,
            type=["null", "string"],
            format="date",
            description="Without a partition: land deliveries up to this day; empty: all there are.",
        ),
    },
):
    feeds = task(task_id="list_feeds", doc_md=list_feeds.__doc__)(list_feeds)()
    landed = task.sensor(
        task_id="land",
        doc_md=land.__doc__,
        map_index_template="{{ task.op_kwargs['feed'] }}",
        mode="reschedule",
        poke_interval=POKE_SECONDS,
        timeout=NIGHT_SECONDS,
    )(land).expand(feed=feeds)
    checked = task(task_id="check", doc_md=check.__doc__, trigger_rule="all_done")(run_step)("check")
    closed = task.sensor(
        task_id="close_day",
        doc_md=close_day.__doc__,
        trigger_rule="all_done",
        outlets=[DELIVERIES],
        mode="reschedule",
        poke_interval=POKE_SECONDS,
        timeout=NIGHT_SECONDS,
    )(close_day)()
    chain(landed, checked, closed)
    chain([landed, checked, closed], EmptyOperator(task_id="all_passed", doc_md="Red when anything before it is."))
