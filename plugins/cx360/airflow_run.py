"""``make run``: the DAGs of this project, run in Airflow, in this process.

Here belongs what a first look needs: which DAG runs in which order, what the person sees meanwhile and in the end. What
a DAG does is in ``dags`` and ``pipeline``, Airflow's settings in ``airflow_home``. Nothing here is used when Airflow
itself schedules the DAGs.
"""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape

from cx360 import airflow_home, screen, sources
from cx360.contracts import FEEDS
from cx360.settings import PROJECT, Settings

if TYPE_CHECKING:
    from airflow.sdk import DAG

#: Delivery days that are run one by one after the history of the synthetic bank.
LAST_DAYS = 3

#: What a line of progress shows of a summary, in this order.
SHOWN = (
    "deliveries",
    "checked",
    "rows_in",
    "accepted",
    "repeated",
    "quarantined",
    "suppressed",
    "unreadable",
    "missing",
    "blocked",
    "models",
    "tests",
    "profiles",
    "rows",
)


@dataclass(frozen=True)
class Size:
    """The synthetic bank that is made when its inbox is empty."""

    customers: int = 500
    days: int = 90
    seed: int = 1


@dataclass(frozen=True)
class Done:
    """What became of one task: a mapped one is named after its feed."""

    task_id: str
    name: str
    summary: dict[str, Any]
    error: BaseException | None
    seconds: float


@dataclass(frozen=True)
class Outcome:
    """What became of one DAG run and its tasks, in the order they ended."""

    is_green: bool
    tasks: list[Done]

    @property
    def only_blocked(self) -> bool:
        """Whether all that went wrong is that deliveries did not pass their gates; the day goes on without them."""
        from cx360.gates import GateFailed

        errors = [done for done in self.tasks if done.error]
        return bool(errors) and all(d.task_id == "check" and isinstance(d.error, GateFailed) for d in errors)


def load_dags(settings: Settings) -> "dict[str, DAG]":
    """The DAGs by id, with Airflow's own database made or brought up to date.

    Raises:
        RuntimeError: a DAG file cannot be imported.
    """
    home = airflow_home.folder(settings)
    home.mkdir(parents=True, exist_ok=True)
    os.environ.update(airflow_home.environment(settings, metadata=f"sqlite:///{home / 'airflow.db'}"))
    os.environ.pop("CX360_PUBLISHED_BY", None)  # dag.test() breaks on a deadline (apache/airflow#73428)
    from airflow.dag_processing.dagbag import DagBag
    from airflow.utils.db import initdb

    initdb()
    bag = DagBag()
    if bag.import_errors:
        raise RuntimeError("; ".join(f"{Path(file).name}: {why}" for file, why in bag.import_errors.items()))
    return dict(bag.dags)


def run_dag(dag: "DAG", params: dict[str, Any]) -> Outcome:
    """One run of a DAG, start to end, in this process."""
    errors: dict[tuple[str, int], BaseException] = {}

    def remember(context: dict[str, Any]) -> None:
        failed = context["task_instance"]
        errors[failed.task_id, failed.map_index] = context["exception"]

    for each in dag.tasks:
        if each.is_mapped:
            each.partial_kwargs["on_failure_callback"] = [remember]
        else:
            each.on_failure_callback = [remember]
    dag_run = dag.test(run_conf=params)
    summaries = _summaries(dag.dag_id, dag_run.run_id)
    ended = sorted((ti for ti in dag_run.get_task_instances() if ti.end_date), key=lambda ti: ti.end_date)
    tasks = []
    for ti in ended:
        key = ti.task_id, ti.map_index
        summary = summaries.get(key, {})
        name = f"{ti.task_id} {summary['feed']}" if "feed" in summary else ti.task_id
        tasks.append(Done(ti.task_id, name, summary, errors.get(key), ti.duration or 0.0))
    return Outcome(str(dag_run.state) == "success", tasks)


def _summaries(dag_id: str, run_id: str) -> dict[tuple[str, int], dict[str, Any]]:
    """Results of the tasks of a run that are summaries, by task and map index."""
    from airflow.models.xcom import XComModel
    from airflow.utils.session import create_session

    with create_session() as session:
        rows = session.scalars(XComModel.get_many(run_id=run_id, dag_ids=dag_id, key="return_value"))
        found = {(row.task_id, row.map_index): XComModel.deserialize_value(row) for row in rows}
    return {key: value for key, value in found.items() if isinstance(value, dict)}


@contextmanager
def quiet(log: Path) -> Iterator[Console]:
    """A console on the terminal; whatever else this process writes goes to ``log``.

    Standard error stays there when all went well: libraries have a last word when the process ends.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    out, err = os.dup(1), os.dup(2)
    with log.open("ab") as sink, os.fdopen(os.dup(out), "w", encoding="utf-8") as screen:
        os.dup2(sink.fileno(), 1)
        os.dup2(sink.fileno(), 2)
        try:
            yield Console(file=screen, width=None if screen.isatty() else 120, highlight=False)
        except BaseException:
            sys.stderr.flush()
            os.dup2(err, 2)
            raise
        finally:
            sys.stdout.flush()
            os.dup2(out, 1)
            os.close(out)
            os.close(err)


def plan(settings: Settings, as_of: date | None) -> list[tuple[date | None, date | None]]:
    """What to run, in order: (land until that delivery day, as of that day); None is all, or the latest.

    The synthetic bank's history is one range, then come its last days one by one. Any other source, and any run at
    a given day, is one range.
    """
    names = [source.source for source in sources.load(settings)]
    if as_of is not None or names != ["synthetic_bank"]:
        return [(None, as_of)]
    days = sources.delivery_days(settings)
    return [(day, day) for day in days[-LAST_DAYS - 1 :]]


def make_sample(settings: Settings, size: Size, console: Console) -> None:
    """Fill the inbox below home with the synthetic bank, if that is the source and there is no inbox yet."""
    inbox = settings.inbox_folder
    synthetic = any(source.source == "synthetic_bank" for source in sources.load(settings))
    if not synthetic or settings.inbox or (inbox.exists() and any(inbox.iterdir())):
        return
    from cx360 import sample

    started = time.monotonic()
    with console.status(f"Making a synthetic bank of {size.customers:,} customers and {size.days} days"):
        sample.generate(size.customers, size.days, size.seed, inbox.parent)
    console.print(
        f"Made a synthetic bank: {size.customers:,} customers, {size.days} days, seed {size.seed}, in {inbox}"
        f"  [dim]{time.monotonic() - started:.1f} s[/dim]"
    )


def run(settings: Settings, as_of: date | None = None, size: Size | None = None) -> int:
    """Land what is in the inbox, build and publish, by Airflow; show progress and say what came of it.

    Args:
        settings: the deployment, read again by every task from the environment.
        as_of: business day the profiles speak for; None is the latest business date of any feed.
        size: of the synthetic bank, made when it is the source and its inbox is empty.

    Returns:
        0 when published, 1 when not, 3 when published without deliveries that their gate keeps out; a person was
        told why.
    """
    log = settings.home.resolve() / "airflow" / "logs" / f"run_{time.strftime('%Y%m%dT%H%M%S')}.log"
    with quiet(log) as console:
        make_sample(settings, size or Size(), console)
        if not sources.delivery_days(settings):
            console.print(f"[red]No complete file of a known feed in {settings.inbox_folder}.[/red]")
            console.print("Check INBOX, and the patterns in source.yaml. Files no source takes:")
            console.print("\n".join(escape(f"  {name}") for name in sources.unclaimed(settings)[:20]) or "  none")
            return 1
        with console.status("Starting Airflow"):
            dags = load_dags(settings)
        for until, day in plan(settings, as_of):
            if not _run_range(dags, until, day, console, log):
                return 1
        return _show_result(settings, console, log)


def _run_range(dags: "dict[str, DAG]", until: date | None, as_of: date | None, console: Console, log: Path) -> bool:
    """Land every feed until that day, then build and publish; False when nothing was published."""
    console.rule(f"deliveries until {until}" if until else "all deliveries", align="left", style="dim")
    for dag_id, name, day in (("deliveries", "until", until), ("profile", "as_of", as_of)):
        with console.status(dag_id):
            outcome = run_dag(dags[dag_id], {name: str(day)} if day else {})
        for done in outcome.tasks:
            _show_line(done, console)
        if not outcome.is_green and not outcome.only_blocked:
            console.print(f"[red]Stopped. Readers see what was published before. The whole log: {log}[/red]")
            return False
    return True


def _show_line(done: Done, console: Console) -> None:
    """A task that did something: its figures, how long it took, what it has to say."""
    figures = {key: _count(done.summary.get(key, 0)) for key in SHOWN}
    shown = [f"{figures[key]:,} {key.replace('_', ' ')}" for key in SHOWN if figures[key]]
    if warnings := done.summary.get("warnings"):
        shown.append(f"warned of {', '.join(warnings)}")
    if not shown and not done.error:
        return
    mark = "[yellow]!![/yellow]" if done.error else "[green]ok[/green]"
    console.print(f"{mark} {done.name:<24} {', '.join(shown)}  [dim]{done.seconds:.1f} s[/dim]")
    messages = [explain(done.error)] if done.error else done.summary.get("messages", ())
    for message in messages:
        console.print(f"   {escape(message)}")


def _count(value: Any) -> int:
    """A figure of a summary; of a list, how many it holds."""
    return len(value) if isinstance(value, list) else int(value)


def explain(error: BaseException) -> str:
    """What a person may be told of an error: the message of ours, only the kind of any other.

    Messages of libraries may hold values of rows; those stay out of sight.
    """
    kind = type(error)
    if kind.__module__.startswith("cx360."):
        return str(error)
    return f"{kind.__module__}.{kind.__qualname__}; the log has the details"


def _show_result(settings: Settings, console: Console, log: Path) -> int:
    from sqlalchemy import select

    from cx360 import ledger, visibility

    with ledger.session(settings) as session:
        publication = session.scalars(
            select(ledger.Publication).order_by(ledger.Publication.publication_id.desc()).limit(1)
        ).first()
        if publication is None:
            console.print(f"[red]Nothing was published. The whole log: {log}[/red]")
            return 1
        console.rule("what was published", align="left")
        console.print(
            f"Publication {publication.publication_id}: profiles as of [bold]{publication.as_of}[/bold], "
            f"known at arrival {publication.known_at}"
        )
        console.print(screen.table(("table", "rows"), sorted(publication.table_rows.items())))
        console.print(screen.table(FEED_COLUMNS, _feed_rows(session)))
        reasons = _quarantine_rows(session)
        if reasons:
            console.print(screen.table(("feed", "quarantined because", "rows"), reasons))
        parquet = settings.publications / publication.parquet_path
        kept_out = visibility.kept_out(session, settings)
        if kept_out:
            console.print(f"[yellow]{len(kept_out)} deliveries are kept out by their gate:[/yellow]")
            console.print(screen.table(("arrival", "feed", "file"), kept_out))
            console.print(
                "  Why, and what to do: .venv/bin/cx360 quarantine show ARRIVAL. Have them delivered again, mend"
                " source.yaml or the mapping and run again, or decide: .venv/bin/cx360 quarantine release|drop ARRIVAL"
                ' --reason "…"'
            )
    if ignored := sources.unclaimed(settings):
        console.print(f"[yellow]{len(ignored)} files in the inbox that no source takes:[/yellow]")
        console.print("\n".join(escape(f"  {name}") for name in ignored[:20]))
    _show_places(settings, parquet, console, log)
    return 3 if kept_out else 0


FEED_COLUMNS = ("feed", "last date", "files", "rows in", "accepted", "repeated", "quarantined", "suppressed")


def _feed_rows(session: Any) -> list[tuple[Any, ...]]:
    from sqlalchemy import func, select

    from cx360.ledger import Delivery

    counts = (
        Delivery.rows_in,
        Delivery.rows_accepted,
        Delivery.rows_repeated,
        Delivery.rows_quarantined,
        Delivery.rows_suppressed,
    )
    found = session.execute(
        select(
            Delivery.feed,
            func.max(Delivery.event_date_max),
            func.count(),
            *(func.coalesce(func.sum(count), 0) for count in counts),
        ).group_by(Delivery.feed)
    )
    by_feed = {row[0]: tuple(row) for row in found}
    return [by_feed.get(feed, (feed, "never came", *[0] * 6)) for feed in FEEDS]


def _quarantine_rows(session: Any) -> list[tuple[Any, ...]]:
    from sqlalchemy import func, select

    from cx360.ledger import Delivery, Quarantine

    return [
        tuple(row)
        for row in session.execute(
            select(Delivery.feed, Quarantine.reason, func.sum(Quarantine.row_count))
            .join_from(Quarantine, Delivery)
            .group_by(Delivery.feed, Quarantine.reason)
            .order_by(Delivery.feed, Quarantine.reason)
        )
    ]


def _show_places(settings: Settings, parquet: Path, console: Console, log: Path) -> None:
    from sqlalchemy.engine import make_url

    from cx360 import postgres

    url = make_url(postgres.url(settings, "cx360_bi"))
    password = settings.home / "keys" / "postgres_cx360_bi"
    prefix = "" if settings.home == PROJECT / "cx360_home" else f"CX360_HOME={settings.home} "
    console.rule("where to look", align="left")
    for name, value in (
        (
            "BI tools",
            f"postgresql://{url.username}@{url.host}:{url.port}/{url.database}, password in {password}",
        ),
        ("here", f'{prefix}.venv/bin/cx360 query "select * from profile.customer_profile limit 5"'),
        ("Parquet", parquet),
        ("Data Docs", settings.reports / "data_docs" / "index.html"),
        ("log", log),
    ):
        console.print(f"  {name:<10} {escape(str(value))}", soft_wrap=True)
