"""The command line: what people do by hand.

Here belongs reading options and telling what came of it. The work is done by the module a command calls.
"""

import os
import sys
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

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

    synthetic.generate(customers, days, seed, out, end=end, plant=not nothing_planted, progress=typer.echo)
    typer.echo(f"Made {customers:,} customers and {days} days in {out}. Next: make run INBOX={out / 'inbox'}")


@app.command()
def query(
    sql: Annotated[str, typer.Argument(help="A select over the published tables; - reads it from standard input.")],
    format: Annotated[Format, typer.Option(help="How the rows are written.")] = Format.table,
) -> None:
    """Read the published tables, as role cx360_bi; starts the embedded database when it is down.

    Tables: profile.customer_profile, profile.customer_identifiers, profile.customer_timeline, cx.cx_metrics_daily, and
    what happened in ops. Features are for models: Parquet below publications/latest, or role cx360_ml.

    Example: cx360 query "select profile_type, count(*) from profile.customer_profile group by 1" --format csv
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


class Decision(StrEnum):
    """What a person may decide of a delivery."""

    release = "release"
    drop = "drop"


@app.command()
def decide(
    what: Annotated[Decision, typer.Argument(help="release lets a blocked delivery in, drop keeps one out.")],
    arrival_number: Annotated[int, typer.Argument(help="Of the delivery, from ops.deliveries.")],
    reason: Annotated[str, typer.Option(help="Why; it is kept with the decision.")],
) -> None:
    """Decide of a delivery that its gate blocked, or that should not have come; the next run acts on it.

    Example: cx360 decide release 42 --reason "the source confirmed the drop in volume"
    """
    import getpass

    from cx360 import ledger, manifest

    with ledger.session(Settings()) as session:
        try:
            made = manifest.decide(session, what.value, arrival_number, reason, getpass.getuser())
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None
        typer.echo(f"Decision {made.decision_number}: {what.value} delivery {arrival_number}. The next run acts on it.")


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


def main() -> None:
    """Run the command line; an expected error is one line on stderr and exit code 1, never a traceback."""
    try:
        app()
    except Exception as error:
        if not type(error).__module__.startswith("cx360."):
            raise
        print(f"cx360: {error}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
