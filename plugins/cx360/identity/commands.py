"""Commands: what people do about identity by hand, ``cx360 identity …``.

Here belongs reading options and telling what came of it, as in ``cli``.
"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cx360.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    help="Who is whom: decide that records are one person, or two; look at what is open; train the model.",
)

Reason = Annotated[str, typer.Option(help="Why; it is kept with the decision. Never a person's data.")]
Party = Annotated[str, typer.Argument(help="Key of a party record.")]


class Shape(StrEnum):
    """How findings are written."""

    table = "table"
    json = "json"


@app.command()
def join(one: Party, other: Party, reason: Reason) -> None:
    """Decide that two party records are one person, whatever the evidence says; the next run acts on it.

    Exit code 0: recorded; 1: the opposite was decided, or the same already; 2: that is no decision.

    Example: cx360 identity join K1001 CS2002 --reason "same person, seen in the branch"
    """
    _decide("force_link", one, other, reason)


@app.command()
def part(one: Party, other: Party, reason: Reason) -> None:
    """Decide that two party records are two people, also through third records; the next run acts on it.

    Exit code 0: recorded; 1: the opposite was decided, or the same already; 2: that is no decision.

    Example: cx360 identity part K1001 CS2002 --reason "father and son"
    """
    _decide("do_not_link", one, other, reason)


@app.command()
def withdraw(
    decision_number: Annotated[int, typer.Argument(min=1, metavar="NUMBER", help="Of the decision.")], reason: Reason
) -> None:
    """Take a decision back: people and ids are as if it had never been made; the next run acts on it.

    Exit code 0: recorded; 2: no such decision holds.

    Example: cx360 identity withdraw 42 --reason "the documents were mixed up"
    """
    import getpass

    from cx360 import ledger
    from cx360.identity import decisions

    with ledger.session(Settings()) as session:
        try:
            made = decisions.withdraw(session, decision_number, reason, getpass.getuser())
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None
        number = made.decision_number
    typer.echo(f"Decision {number}: {decision_number} holds no longer. The next run of profile acts on it.")


@app.command(name="decisions")
def list_decisions(format: Annotated[Shape, typer.Option(help="How it is written.")] = Shape.table) -> None:
    """Decisions on party records that hold, oldest first.

    Example: cx360 identity decisions
    """
    from cx360 import ledger, screen
    from cx360.identity import decisions

    with ledger.session(Settings()) as session:
        names = ("decision_number", "kind", "party_id_a", "party_id_b", "decided_by", "decided_at", "reason")
        rows = [{name: getattr(decision, name) for name in names} for decision in decisions.standing(session)]
    if format is Shape.json:
        typer.echo(screen.as_json(rows))
    elif rows:
        screen.console().print(
            screen.table([name.replace("_", " ") for name in names], [list(r.values()) for r in rows])
        )
    else:
        typer.echo("No decision on party records holds.")


@app.command()
def review(
    limit: Annotated[int, typer.Option(min=1, help="How many of each kind, heaviest first.")] = 20,
    format: Annotated[Shape, typer.Option(help="How it is written.")] = Shape.table,
) -> None:
    """Pairs of records a person should look at: matches too light to join by themselves, and links that were refused.

    It tells of what was built last. `cx360 explain RECORD` shows one of them whole; `cx360 identity join` and `part`
    decide.

    Exit code 0: told; 1: nothing was built yet.

    Example: cx360 identity review --limit 50
    """
    from cx360 import screen
    from cx360.identity import explain

    rows = explain.to_review(Settings(), limit)
    if format is Shape.json:
        typer.echo(screen.as_json(rows))
        return
    headings = ("outcome", "record", "other", "rule", "token", "bits", "why")
    told = [(r.outcome, r.party_id_a, r.party_id_b, r.rule, r.identifier, _bits(r.weight_bits), r.reason) for r in rows]
    screen.console().print(screen.table(headings, told) if told else "Nothing waits for a person.")


@app.command()
def train(
    out: Annotated[
        Path | None,
        typer.Option(help="File to write; default: config/models/identity.json below CX360_HOME, for the next run."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the pairs drawn; same seed and records, same estimates.")] = 1,
    format: Annotated[Shape, typer.Option(help="How the report is written.")] = Shape.table,
) -> None:
    """Estimate a new matching model from the party records as last built, without labels; say what it would change.

    A daily run never does this. The file takes effect with the next run; beside it the report is kept. To go back,
    put the old file in its place, or remove it for the shipped one.

    Exit code 0: written; 1: there is nothing to learn from, or the model in force cannot be used.

    Example: cx360 identity train --out candidate.json
    """
    from cx360 import screen
    from cx360.matching import training

    report = training.train(Settings(), out, seed)
    if format is Shape.json:
        typer.echo(screen.as_json(report.as_dict()))
        return
    typer.echo(
        f"Model {report.model.version}, of {report.records:,} persons' records, is in {report.path}.\n"
        f"Pairs that match: {report.before:,} before, {report.after:,} by it:"
        f" {report.new_matches:,} new, {report.lost_matches:,} no longer."
    )


def _bits(weight: float | None) -> str | None:
    return None if weight is None else f"{weight:.1f}"


def _decide(kind: str, one: str, other: str, reason: str) -> None:
    import getpass

    from cx360 import ledger
    from cx360.identity import decisions

    with ledger.session(Settings()) as session:
        try:
            made = decisions.decide(session, kind, one, other, reason, getpass.getuser())
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None
        number = made.decision_number
    typer.echo(f"Decision {number}: {kind} {one} {other}. The next run of profile acts on it.")
