"""Why: what moved a metric between any two periods, by the segments of a dimension.

Here belongs which units a period has, and how the answer is shown. The arithmetic is in ``statistics.moves``. It
tells of what was built last; for consecutive months cx.cx_metric_moves has the same.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from cx360 import engines, screen
from cx360.registry import DIMENSIONS
from cx360.settings import Settings
from cx360.sql import literal
from cx360.statistics import intervals
from cx360.statistics.moves import Moves, Part, explain

if TYPE_CHECKING:
    from rich.console import Console

    from cx360.engines import Warehouse


class CannotSay(ValueError):
    """There is no answer; the message says why, and what to ask instead."""


@dataclass(frozen=True)
class Period:
    """Days from the first to the last."""

    first: date
    last: date


@dataclass(frozen=True)
class Answer:
    """What each segment did to the change, and the 95 % interval of the change; None where too little is known."""

    moves: Moves
    interval: tuple[float, float] | None


def why(settings: Settings, metric: str, before: Period, after: Period, dimension: str) -> Answer:
    """What each segment did to the change of a metric from one period to another.

    Args:
        settings: of the deployment; its warehouse holds what was built last.
        metric: one that is a mean.
        before: first period.
        after: second period; they may be any two.
        dimension: one of registry.DIMENSIONS.

    Raises:
        CannotSay: nothing was built, a name is unknown, or a period holds too little or is not final.
    """
    if dimension not in DIMENSIONS:
        raise CannotSay(f"{dimension!r} is no dimension; dimensions are {', '.join(DIMENSIONS)}")
    with engines.open_warehouse(settings, read_only=True) as db:
        if not db.exists("cx.cx_metric_moves"):
            raise CannotSay("nothing was built yet: run profile first")
        means = db.query(
            "select metric, interval_method from seeds.cx_metric_registry where adds_as = 'mean'"
        ).to_pylist()
        methods = {row["metric"]: row["interval_method"] for row in means}
        if metric not in methods:
            raise CannotSay(f"{metric!r} is no metric that is a mean; these are {', '.join(sorted(methods))}")
        rules = {
            row["rule"]: int(row["value"]) for row in db.query("select rule, value from seeds.cx_rules").to_pylist()
        }
        rows = [_rows(db, metric, period, dimension, rules["identifying_below_n"]) for period in (before, after)]
    parts = [{row["segment"]: Part(int(row["n"]), Fraction(row["total"])) for row in period} for period in rows]
    moves = explain(parts[0], parts[1], rules["move_minimum_n"], rules["identifying_below_n"])
    return Answer(moves, intervals.change(methods[metric], _sums(rows[0]), _sums(rows[1])))


def _rows(db: "Warehouse", metric: str, period: Period, dimension: str, identifying_n: int) -> list[dict[str, Any]]:
    """Segments of a period, of the latest answer per person and question: segment, and what a Sums is made of.

    Raises:
        CannotSay: the period holds nothing, or so little that it would tell of persons, or is not final.
    """
    days = " and ".join(f"cast({literal(day.isoformat())} as date)" for day in (period.first, period.last))
    rows = db.query(f"""
        select
            {dimension} as segment,
            count(*) as n,
            sum(value) as total,
            sum(cast(value as decimal(20, 6)) * value) as squares,
            count(case when nps_class = 'promoter' then 1 end) as promoters,
            count(case when nps_class = 'detractor' then 1 end) as detractors,
            max(last_final_date) as final_date
        from (
            select
                {dimension},
                value,
                nps_class,
                max(final_date) over () as last_final_date,
                row_number() over (
                    partition by person_key, question_id
                    order by responded_at desc, observation_id desc
                ) as preference
            from cx.int_cx__units
            where metric = {literal(metric)} and metric_date between {days}
        ) as ranked
        where preference = 1
        group by {dimension}
    """).to_pylist()
    told = f"{period.first} to {period.last}"
    if not rows:
        raise CannotSay(f"nothing is counted in {metric} from {told}")
    if sum(row["n"] for row in rows) < identifying_n:
        raise CannotSay(f"fewer than {identifying_n} are counted in {metric} from {told}: it would tell of persons")
    [as_of] = db.query("select as_of from raw.run")["as_of"].to_pylist()
    final_date = max(row["final_date"] for row in rows)
    if final_date > as_of:
        raise CannotSay(f"{metric} from {told} is final on {final_date}; what is built speaks for {as_of}")
    return rows


def _sums(rows: list[dict[str, Any]]) -> intervals.Sums:
    n, total, squares, promoters, detractors = (
        sum((Fraction(row[name]) for row in rows), Fraction())
        for name in ("n", "total", "squares", "promoters", "detractors")
    )
    return intervals.Sums(int(n), total, squares, int(promoters), int(detractors))


def show(answer: Answer, dimension: str, console: "Console") -> None:
    """A table of the segments and, below it, the sum, and how sure the change is."""
    moves = answer.moves
    heads = [dimension, "n before", "n after", "before", "after", "rate", "mix", "entry", "exit", "together"]
    rows = [
        [
            move.segment,
            move.before.n,
            move.after.n,
            *(_mean(part) for part in (move.before, move.after)),
            *(_figure(value) for value in (move.rate, move.mix, move.entry, move.exit, move.effect)),
        ]
        for move in moves.segments
    ]
    sums = [
        sum((getattr(move, name) for move in moves.segments), Fraction()) for name in ("rate", "mix", "entry", "exit")
    ]
    n_before, n_after = (sum(getattr(move, side).n for move in moves.segments) for side in ("before", "after"))
    ends = [_figure(moves.value_before), _figure(moves.value_after)]
    rows.append(["all", n_before, n_after, *ends, *map(_figure, sums), _figure(sum(sums, Fraction()))])
    console.print(screen.table(heads, rows))
    change, together = _figure(moves.change), _figure(sum(sums, Fraction()))
    console.print(f"It moved by {change}, from {ends[0]} to {ends[1]}; rate, mix, entry and exit add up to {together}.")
    if answer.interval is None:
        console.print("The change has no 95 % interval: too few are counted in a period, or all of them are alike.")
    else:
        low, high = (_figure(Fraction(end)) for end in answer.interval)
        console.print(f"Its 95 % interval is {low} to {high}, if the people of the two periods are different ones.")


def _mean(part: Part) -> Decimal | None:
    return _figure(part.total / part.n) if part.n else None


def _figure(value: Fraction) -> Decimal:
    """A figure for the eye, four digits."""
    return round(Decimal(value.numerator) / Decimal(value.denominator), 4) + 0
