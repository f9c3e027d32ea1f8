"""The command line: what people do by hand.

Here belongs reading options and telling what came of it. The work is done by the module a command calls.
"""

import errno
import os
import sys
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from cx360.identity.commands import Shape
from cx360.identity.commands import app as identity_app
from cx360.registry import DIMENSIONS
from cx360.settings import Settings

app = typer.Typer(
    name="cx360",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="One audited profile per bank customer, every day.\n\n"
    "Settings are environment variables CX360_*: CX360_HOME (everything a deployment keeps), CX360_INBOX, "
    "CX360_SOURCES, CX360_DATABASE_URL, CX360_TIMEZONE, CX360_REPORTING_CURRENCY. Every default works.",
)


quarantine_app = typer.Typer(
    no_args_is_help=True, help="What is kept out: look at it, let it in, or keep it out for good."
)
app.add_typer(quarantine_app, name="quarantine")
app.add_typer(identity_app, name="identity")


class Format(StrEnum):
    """How rows are written."""

    table = "table"
    csv = "csv"
    json = "json"


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a day written YYYY-MM-DD") from None


@app.command()
def sample(
    out: Annotated[Path, typer.Option(help="Folder to fill: OUT/inbox/<delivery day>/…, and the truth beside.")],
    customers: Annotated[int, typer.Option(min=1, help="How many customers.")] = 500,
    days: Annotated[int, typer.Option(min=7, help="How many days of deliveries.")] = 90,
    daily: Annotated[
        int, typer.Option(min=3, help="How many of the last days come one by one; before: one delivery.")
    ] = 3,
    seed: Annotated[int, typer.Option(help="Same seed, same bytes.")] = 1,
    end: Annotated[
        date | None,
        typer.Option(parser=_day, metavar="YYYY-MM-DD", help="Last delivery day; default: a fixed one."),
    ] = None,
    nothing_planted: Annotated[bool, typer.Option("--nothing-planted", help="Plant no facts to be found.")] = False,
) -> None:
    """Make a synthetic bank: believable feeds, dirt of every kind, and the truth beside.

    Example: cx360 sample --customers 2000 --days 90 --seed 7 --out /tmp/bank
    """
    from cx360 import sample as synthetic

    synthetic.generate(customers, days, seed, out, end=end, plant=not nothing_planted, daily=daily, progress=typer.echo)
    typer.echo(f"Made {customers:,} customers and {days} days in {out}. Next: make run INBOX={out / 'inbox'}")


@app.command()
def query(
    sql: Annotated[str, typer.Argument(help="A select over the published tables; - reads it from standard input.")],
    format: Annotated[Format, typer.Option(help="How the rows are written.")] = Format.table,
) -> None:
    """Read the published tables, as role cx360_bi; starts the embedded database when it is down.

    Tables: profile.customer_profile, profile.profile_attributes, profile.customer_identifiers, profile.profile_ids,
    profile.customer_timeline, cx.cx_metrics_daily, cx.cx_metric_moves, cx.cx_drivers, and what happened in ops.
    profile.profile_columns says of each column of customer_profile which feeds, models and rules it comes from.
    Features are for models: Parquet below publications/latest, or role cx360_ml.

    Example: cx360 query "select profile_type, count(*) from profile.customer_profile group by 1" --format csv

    Example: cx360 query "select * from profile.profile_columns where column_name = 'aum_amount'" --format json
    """
    from cx360 import query as reading

    settings = Settings()
    if settings.database_url is None and not (settings.home / "postgres").exists():
        typer.echo(f"cx360: nothing is published in {settings.home}: `make run` first, or set CX360_HOME", err=True)
        raise typer.Exit(2)
    raise typer.Exit(reading.run(settings, sql, format.value))


@app.command()
def run(
    sources: Annotated[
        str | None, typer.Option(help="Source folders, separated by commas; default: the synthetic bank.")
    ] = None,
    inbox: Annotated[Path | None, typer.Option(help="Folder the sources deliver to.")] = None,
    as_of: Annotated[
        date | None,
        typer.Option(
            parser=_day,
            metavar="YYYY-MM-DD",
            help="Day the profiles speak for; default: the latest of any feed.",
        ),
    ] = None,
    customers: Annotated[int, typer.Option(min=1, help="Of the synthetic bank, if it must be made.")] = 500,
    days: Annotated[int, typer.Option(min=7, help="Of the synthetic bank, if it must be made.")] = 90,
) -> None:
    """Land what is in the inbox, build, audit and publish, by the DAGs, in Airflow, in this process.

    With the synthetic bank (made when its inbox is empty): the history as one range, then the last three days one by
    one. With other sources: everything at once.

    Exit code 0: published; 1: not; 3: published without deliveries that their gates keep out, which are listed.

    Example: cx360 run --sources sources/eagle_bank --inbox ../shared/data/eagle_bank --as-of 2014-03-30
    """
    if sources:
        os.environ["CX360_SOURCES"] = sources
    if inbox:
        if not inbox.is_dir():
            raise typer.BadParameter(f"there is no folder {inbox}", param_hint="--inbox")
        os.environ["CX360_INBOX"] = str(inbox.resolve())
    from cx360 import airflow_run

    raise typer.Exit(airflow_run.run(Settings(), as_of, airflow_run.Size(customers, days)))


@app.command()
def status(
    format: Annotated[Shape, typer.Option(help="How it is written.")] = Shape.table,
) -> None:
    """Where each feed stands, what readers see, which deliveries are kept out and what to do about them.

    Exit code 0: told; 1: the database cannot be reached.

    Example: cx360 status --format json
    """
    from cx360 import screen
    from cx360 import status as standing

    found = standing.gather(Settings())
    if format is Shape.json:
        typer.echo(screen.as_json(found))
    else:
        standing.show(found, screen.console())


@app.command()
def doctor(
    older_than: Annotated[
        int, typer.Option(min=0, metavar="MINUTES", help="Locks, partitions and leftovers are trouble when older.")
    ] = 15,
    format: Annotated[Shape, typer.Option(help="How it is written.")] = Shape.table,
) -> None:
    """Look at everything that can be wrong with this deployment, and say how to cure it; changes nothing.

    Settings, versions, connections, insecure defaults, locks, stuck partitions, the pool, disk, the lake, the inbox. It
    works when PostgreSQL is down, the disk is full or nothing was ever run. A check that cannot be made is a finding.

    Exit code 0: no error (there may be warnings); 1: at least one error.

    Example: cx360 doctor --older-than 60
    """
    from cx360 import doctor as examination
    from cx360 import screen

    findings = examination.examine(older_than)
    if format is Shape.json:
        typer.echo(screen.as_json(findings))
    else:
        examination.show(findings, screen.console())
    raise typer.Exit(1 if any(finding.level == "error" for finding in findings) else 0)


Reason = Annotated[str, typer.Option(help="Why; it is kept with the decision.")]
Arrival = Annotated[int, typer.Argument(min=1, metavar="ARRIVAL", help="Number of the delivery.")]


@quarantine_app.command(name="list")
def quarantine_list(
    feed: Annotated[str | None, typer.Option(help="Only this feed.")] = None,
    day: Annotated[date | None, typer.Option(parser=_day, metavar="YYYY-MM-DD", help="Only this delivery day.")] = None,
    format: Annotated[Shape, typer.Option(help="How it is written.")] = Shape.table,
) -> None:
    """Deliveries that are kept out, and quarantined rows by delivery and reason, newest first.

    Exit code 0: told; 1: the database cannot be reached.

    Example: cx360 quarantine list --feed transactions --day 2026-03-31
    """
    from cx360 import ledger, quarantine, screen
    from cx360 import status as standing
    from cx360.ledger import Delivery

    settings = Settings()
    _know_feed(feed)
    with ledger.session(settings) as session:
        kept_out = [
            one
            for one in standing.kept_out(session, settings)
            if feed in (None, one.feed) and day in (None, session.get_one(Delivery, one.arrival_number).delivery_day)
        ]
        rows = quarantine.refused(session, feed, day)
    if format is Shape.json:
        typer.echo(screen.as_json({"kept_out": kept_out, "rows": rows}))
    else:
        quarantine.show_list(kept_out, rows, screen.console())


@quarantine_app.command(name="show")
def quarantine_show(
    arrival_number: Arrival,
    format: Annotated[Shape, typer.Option(help="How it is written.")] = Shape.table,
) -> None:
    """Why a delivery, or rows of it, are kept out, and what to do.

    Values are never shown, only their shapes: letters a, digits 9. The rows as they came lie in the restricted part of
    the lake; it says where.

    Exit code 0: told; 1: there is no such delivery, or no database.

    Example: cx360 quarantine show 42
    """
    from cx360 import quarantine, screen

    shown = quarantine.inspect(Settings(), arrival_number)
    if format is Shape.json:
        typer.echo(screen.as_json(shown))
    else:
        quarantine.show(shown, screen.console())


@quarantine_app.command(name="release")
def quarantine_release(arrival_number: Arrival, reason: Reason) -> None:
    """Let in a delivery that its gate blocked; the next run acts on it.

    The decision is kept with its reason and your name; `drop` takes it back.

    Exit code 0: recorded; 2: there is no such delivery, or nothing in it to let in.

    Example: cx360 quarantine release 42 --reason "the source confirmed the drop in volume"
    """
    _decide("release", arrival_number, reason)


@quarantine_app.command(name="drop")
def quarantine_drop(arrival_number: Arrival, reason: Reason) -> None:
    """Keep a delivery out that should not have come, also one that was published; the next run acts on it.

    The decision is kept with its reason and your name; `release` takes it back.

    Exit code 0: recorded; 2: there is no such delivery.

    Example: cx360 quarantine drop 42 --reason "the source sent the test system's file"
    """
    _decide("drop", arrival_number, reason)


def _decide(kind: str, arrival_number: int, reason: str) -> None:
    import getpass

    from cx360 import ledger, manifest

    with ledger.session(Settings()) as session:
        try:
            made = manifest.decide(session, kind, arrival_number, reason, getpass.getuser())
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None
        number = made.decision_number
    typer.echo(f"Decision {number}: {kind} delivery {arrival_number}. The next run of profile acts on it.")


def _know_feed(feed: str | None) -> None:
    from cx360.contracts import FEEDS

    if feed is not None and feed not in FEEDS:
        raise typer.BadParameter(f"{feed!r} is no feed; feeds are {', '.join(FEEDS)}")


@app.command()
def explain(
    identity: Annotated[
        str, typer.Argument(help="Id of a profile, key of a party record, token, or a value such as a number.")
    ],
    unmask: Annotated[bool, typer.Option("--unmask", help="Show personal values instead of their shapes.")] = False,
    format: Annotated[Shape, typer.Option(help="How it is written.")] = Shape.table,
) -> None:
    """Why these records are one person: the chain of links, their rules, rows and weights, what was refused.

    It tells of what was built last. Personal values are shown as shapes: letters a, digits 9.

    Exit code 0: told; 1: nobody is known by that.

    Example: cx360 explain +49301234567
    """
    from cx360 import screen
    from cx360.identity import explain as explaining

    explained = explaining.explain(Settings(), identity, is_masked=not unmask)
    if format is Shape.json:
        typer.echo(screen.as_json(explained))
    else:
        explaining.show(explained, screen.console())


Days = Annotated[str, typer.Argument(metavar="FROM..TO", help="First and last day, YYYY-MM-DD..YYYY-MM-DD.")]


@app.command()
def why(
    metric: Annotated[str, typer.Argument(help="A metric that is a mean, such as nps_relationship or fcr_share.")],
    before: Days,
    after: Days,
    by: Annotated[str, typer.Option(metavar="DIMENSION", help=f"{', '.join(DIMENSIONS[:-1])} or {DIMENSIONS[-1]}.")],
) -> None:
    """Why a metric moved from one period to another: what each part did, adding up exactly, and how sure that is.

    Rate: the part, such as a region, answered otherwise; mix: it grew or shrank; entry and exit: it is new or gone.
    Small parts are pooled. The interval of the change takes the people of both periods to be different ones. It tells
    of what was built last; cx.cx_metric_moves has every month against the one before.

    Exit code 0: told; 1: there is nothing to tell of; 2: a period is not written so.

    Example: cx360 why nps_relationship 2026-02-01..2026-02-28 2026-03-01..2026-03-31 --by region
    """
    from cx360 import screen
    from cx360 import why as reasons

    first, second = (reasons.Period(*_days(text)) for text in (before, after))
    reasons.show(reasons.why(Settings(), metric, first, second, by), by, screen.console())


def _days(text: str) -> tuple[date, date]:
    first, _, last = text.partition("..")
    days = _day(first), _day(last)
    if days[0] > days[1]:
        raise typer.BadParameter(f"{text!r} ends before it begins")
    return days


@app.command()
def replay(
    feed: Annotated[str, typer.Argument(help="Feed whose deliveries are landed anew.")],
    source: Annotated[str | None, typer.Option(help="Only of this source.")] = None,
    first: Annotated[
        date | None, typer.Option("--from", parser=_day, metavar="YYYY-MM-DD", help="First delivery day.")
    ] = None,
    last: Annotated[
        date | None, typer.Option("--to", parser=_day, metavar="YYYY-MM-DD", help="Last delivery day.")
    ] = None,
    arrival: Annotated[int | None, typer.Option(min=1, help="Only this delivery, also one that was dropped.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be landed anew.")] = False,
) -> None:
    """Land kept raw files anew by a mended mapping or contract, also those that left the inbox.

    Of each name the last delivery is taken. What today's mapping and contract version made is left as it is; a mended
    contract needs a higher version. The new deliveries pass their gate and take the place of the old ones, all at once;
    a replay that is killed has changed nothing. The next run of profile builds them in. Lost files of the lake are
    restored from the raw ones.

    Exit code 0: done; 1: it could not be; 3: done, but some were left out or are kept out by their gate.

    Example: cx360 replay transactions --from 2026-03-01 --dry-run
    """
    from cx360 import replay as replaying
    from cx360.gates import GateFailed

    _know_feed(feed)
    wanted = replaying.Wanted(source, first, last, arrival)
    counts: dict[str, int] = {}

    def progress(one: replaying.Replayed) -> None:
        counts[one.fate] = counts.get(one.fate, 0) + 1
        if one.fate != "unchanged":
            typer.echo(one.sentence())

    trouble = None
    if dry_run:
        typer.echo("Dry run: nothing is changed. It would be so:")
    try:
        done = replaying.replay(Settings(), feed, wanted, progress, dry_run)
    except GateFailed as blocked:
        trouble = str(blocked)
    if trouble is None and not done:
        typer.echo(f"No delivery of {feed} fits; `cx360 status` names the last ones.")
    if told := ", ".join(f"{count:,} {fate}" for fate, count in counts.items()):
        typer.echo(f"{feed}: {told}.")
    if counts.get("unchanged"):
        typer.echo("Unchanged: made by today's mapping and contract; a mended contract needs a higher version.")
    if trouble:
        typer.echo(f"{trouble}\nWhat was read before stays. See: cx360 quarantine list --feed {feed}", err=True)
    elif counts.get("landed anew") and not dry_run:
        typer.echo("They passed their gate. The next run of profile builds them in.")
    raise typer.Exit(3 if trouble or counts.get("left out") else 0)


@app.command()
def publish(
    publication: Annotated[
        int | None, typer.Argument(min=1, help="With --rollback: to this one; default: the one before.")
    ] = None,
    rollback: Annotated[bool, typer.Option("--rollback", help="Show readers an earlier publication again.")] = False,
    list_: Annotated[bool, typer.Option("--list", help="List publications.")] = False,
) -> None:
    """Show readers an earlier publication again, or list publications. Runs of profile publish by themselves.

    After a rollback the next green run of profile publishes forward again, with what was wrong unless its delivery was
    dropped. It says which deliveries the publication that was taken back brought.

    Exit code 0: done; 1: it could not be; 2: neither --rollback nor --list was said.

    Example: cx360 publish --rollback

    Example: cx360 publish --rollback 12
    """
    from cx360 import rollback as going_back
    from cx360 import screen

    if rollback == list_:
        raise typer.BadParameter("say either --rollback or --list")
    settings = Settings()
    if list_:
        going_back.show(settings, screen.console())
    else:
        going_back.back(settings, publication, screen.console())


@app.command()
def stop() -> None:
    """Stop the embedded database. `cx360 query` and every run start it again."""
    from cx360 import postgres

    typer.echo("Stopped." if postgres.stop(Settings()) else "It was not running.")


@app.command()
def up() -> None:
    """Start Airflow (UI, scheduler, DAG processor, triggerer) and PostgreSQL; they listen on this machine only.

    Exit code 1: something does not start; the end of its log is shown. CX360_UI_PORT is the port of the UI.
    """
    from cx360 import airflow_home

    settings = Settings()
    new = airflow_home.up(settings)
    typer.echo(f"Airflow is up: http://127.0.0.1:{settings.ui_port}, user {airflow_home.USER}")
    password = airflow_home.password_file(settings)
    typer.echo(f"Its password, shown this once: {airflow_home.password(settings)}" if new else f"Password: {password}")
    typer.echo(f"Logs: {airflow_home.folder(settings) / 'logs'}. `make down` stops it.")


@app.command()
def down() -> None:
    """Stop what `cx360 up` started, and what a crash left of it; running tasks have half a minute to end."""
    from cx360 import airflow_home

    stopped = airflow_home.down(Settings())
    typer.echo(f"Stopped {', '.join(stopped)}." if stopped else "Nothing was running.")


@app.command(add_help_option=False, context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def airflow(context: typer.Context) -> None:
    """Airflow's own command line, in this deployment's environment.

    Example: cx360 airflow dags trigger profile --conf '{"as_of": "2026-03-31"}'
    """
    from cx360 import airflow_home

    airflow_home.become(Settings(), *context.args)


def main() -> None:
    """Run the command line; an expected error is one line on stderr and exit code 1, never a traceback."""
    try:
        app()
    except Exception as error:
        said = _explained(error)
        if said is None:
            raise
        print(f"cx360: {said}", file=sys.stderr)
        sys.exit(1)


def _explained(error: Exception) -> str | None:
    """What a person is told of an error that may happen; None for a fault of ours."""
    kind = type(error)
    if kind.__module__.startswith("cx360."):
        return str(error)
    if isinstance(error, ValidationError):
        wrong = error.errors(include_input=False, include_url=False)
        return "; ".join(f"CX360_{str(each['loc'][0]).upper()}: {each['msg']}" for each in wrong)
    if kind.__name__ == "OperationalError":
        return "the database cannot be reached, or does not let us in: cx360 doctor says more"
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return "No space left on device: cx360 doctor names the disk, docs/runbook.md what may go"
    return None


if __name__ == "__main__":
    main()
