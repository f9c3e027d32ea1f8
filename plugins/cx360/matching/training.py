"""Training: estimates a model's numbers from the lake as known, without labels, and tells what they would change.

Here belongs what a person starts by hand (``cx360 identity train``); a daily run never estimates anything. What is
compared, and which weights are fixed, stays as the model in force says; so do threshold, review band and key limit.

u comes from random pairs, m by expectation maximisation within blocks (Fellegi and Sunter 1969; Winkler 1988), both by
Splink. What too few pairs show keeps the number it has.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cx360.matching.model import FILE, FREQUENT, Frequencies, Level, Model, Trained, load
from cx360.settings import Settings

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from splink import Linker


#: Blocks within which m is estimated, each for the comparisons of other columns.
_BLOCKS = ("l.birth_date = r.birth_date", "l.name = r.name", "l.address = r.address")

#: Pairs that are one person almost surely, and the share of all such pairs that they are taken to be.
_SURE = (
    "l.document = r.document and l.birth_date = r.birth_date",
    "l.name = r.name and l.birth_date = r.birth_date and (l.address = r.address or l.phone = r.phone)",
)
_SURE_SHARE = 0.6

#: Random pairs for u, pairs at most per block for m.
_PAIRS = 4e6
_BLOCK_PAIRS = 5e5

#: Share of a level's m that is what the data say; the rest stays as it was, for what they happen not to show.
_TRUST = 0.8

#: No level is surer than these, whatever the data say.
_LEAST_M, _LEAST_U, _MOST = 0.0005, 1e-7, 0.9999

#: While m is estimated a fixed weight is no less: a pair must not become so improbable that it is no number.
_LEAST_FIXED = -20_000

#: Least share of the random pairs' u that is left when those that are one person are taken off it.
_LEAST_LEFT = 0.02


@dataclass(frozen=True)
class Report:
    """What a new model would change, beside the one in force.

    Attributes:
        model: the new one.
        path: file it was written to.
        records: persons' records it was trained on.
        before: matches by the model in force.
        after: matches by the new one.
        new_matches: pairs that would match and do not yet.
        lost_matches: pairs that match and would not any more.
    """

    model: Model
    path: Path
    records: int
    before: int
    after: int
    new_matches: int
    lost_matches: int

    def as_dict(self) -> dict[str, Any]:
        """Counts and shares for JSON."""
        return {
            "model_version": self.model.version,
            "path": str(self.path),
            "records": self.records,
            "matches_before": self.before,
            "matches_after": self.after,
            "new_matches": self.new_matches,
            "new_share": round(self.new_matches / self.after, 6) if self.after else None,
            "lost_matches": self.lost_matches,
            "lost_share": round(self.lost_matches / self.before, 6) if self.before else None,
            "cut_off": self.model.trained.cut_off,
            "code_version": self.model.trained.code_version,
            "run": self.model.trained.run,
        }


_NOTHING = "there are no two persons' records to learn from: land and build some first (make run)"


class TooFewRecords(ValueError):
    """Nothing can be estimated."""


def train(settings: Settings, out: Path | None = None, seed: int = 1) -> Report:
    """Estimate a model from ``identity.int_identity__records`` and write it, and beside it what it changes.

    Args:
        settings: of the deployment, whose warehouse is built.
        out: file to write; None for the bank's own, which the next run takes.
        seed: of the random pairs; the same seed and records give the same model.

    Returns:
        What changes; also written as ``<file>.report.json``.

    Raises:
        TooFewRecords: there are not two persons' records.
        ModelError: the model in force cannot be used.
        MatchingFailed: the records could not be read.
    """
    from cx360 import engines, matching, versions, warehouse

    before = load(settings)
    path = out or settings.home / "config" / FILE
    run, files = warehouse.opened(settings), warehouse.identifier_files(settings, "parties")
    with engines.open_warehouse(settings, read_only=True) as db:
        if not db.exists("identity.int_identity__records"):
            raise TooFewRecords(_NOTHING)
        records = db.query(matching.RECORDS)
    if records.num_rows < 2:
        raise TooFewRecords(_NOTHING)
    with matching.workbench(settings) as (duck, _):
        duck.register("given_records", records)
        code = versions.of_files(settings, "plugins/cx360/matching")[:16]
        trained = Trained(cut_off=run.as_of.isoformat(), code_version=code, run=run.run_id, records=records.num_rows)
        after = estimate(duck, files, before, trained, seed)
        counts = _compare(duck, files, before, after)
    report = Report(after, path, records.num_rows, *counts)
    _write(path, after.text)
    _write(path.with_suffix(".report.json"), json.dumps(report.as_dict(), indent=1) + "\n")
    return report


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".part")
    fresh.write_text(text, encoding="utf-8")
    fresh.rename(path)


def estimate(db: "DuckDBPyConnection", files: list[str], model: Model, trained: Trained, seed: int) -> Model:
    """A model with the numbers of view ``given_records``, as ``match`` takes it."""
    from cx360 import matching
    from cx360.matching import scoring

    matching.gather(db, files, model)
    frequent = {column: _frequencies(db, column, model.term_frequencies[column]) for column in FREQUENT}
    model = model.model_copy(update={"term_frequencies": frequent, "trained": trained})
    matching.gather(db, files, model)
    with scoring.quiet():
        linker = scoring.linker(db, model, "gathered", least_millibits=_LEAST_FIXED)
        _train(linker, db, seed)
        found = linker.misc.save_model_to_json()
    return Model.model_validate(_merge(model, found).model_dump())


def _frequencies(db: "DuckDBPyConnection", column: str, before: Frequencies) -> Frequencies:
    """Frequencies of a column's values; the floor is how often two records with rarer ones have the same."""
    counted = db.execute(
        f"select {column}, count(*) as n from gathered where {column} is not null group by all"
    ).fetchall()
    total = sum(n for _, n in counted)
    rare = [n for _, n in counted if n < before.least_count]
    floor = sum(n * n for n in rare) / sum(rare) / total if rare else 1 / total if total else before.floor
    values = {value: round(n / total, 9) for value, n in sorted(counted) if n >= before.least_count}
    return Frequencies(least_count=before.least_count, floor=min(max(round(floor, 9), 1e-6), 0.5), values=values)


def _train(linker: "Linker", db: "DuckDBPyConnection", seed: int) -> None:
    """Let Splink estimate what it can."""
    ((sure,),) = db.execute(
        "select count(*) from gathered as l join gathered as r"
        " on l.party_id < r.party_id and l.birth_date = r.birth_date"
        f" where {' or '.join(f'({rule})' for rule in _SURE)}"
    ).fetchall()
    if sure:
        linker.training.estimate_probability_two_random_records_match(list(_SURE), recall=_SURE_SHARE)
    linker.training.estimate_u_using_random_sampling(max_pairs=_PAIRS, seed=seed, min_count_per_level=None)
    for block in _BLOCKS:
        ((pairs,),) = db.execute(
            f"select count(*) from (from gathered as l join gathered as r on {block} and l.party_id < r.party_id"
            " limit 50)"
        ).fetchall()
        if pairs == 50:
            linker.training.estimate_parameters_using_expectation_maximisation(block, max_pairs=_BLOCK_PAIRS)


def _merge(model: Model, found: dict[str, Any]) -> Model:
    """The model with the prior, m and u that Splink found."""
    prior = found["probability_two_random_records_match"]
    comparisons = []
    for comparison, of_splink in zip(model.comparisons, found["comparisons"], strict=True):
        levels = [
            _level(level, numbers, prior)
            for level, numbers in zip(comparison.levels, of_splink["comparison_levels"], strict=True)
        ]
        comparisons.append(comparison.model_copy(update={"levels": tuple(levels)}))
    return model.model_copy(update={"prior": prior, "comparisons": tuple(comparisons)})


def _level(level: Level, numbers: dict[str, Any], prior: float) -> Level:
    """A level with the numbers found; of random pairs some are one person, which u must not count."""
    if level.is_null or (level.fixed_millibits is not None and level.tf):
        return level
    m = level.m if level.fixed_millibits is not None else _number(numbers, "m_probability", level.m)
    if m is not None and level.m is not None:
        m = min(max(_TRUST * m + (1 - _TRUST) * level.m, _LEAST_M), _MOST)
    sampled = _number(numbers, "u_probability", level.u)
    assert sampled is not None
    of_two = (sampled - prior * (m or 0)) / (1 - prior) if sampled != level.u else sampled
    u = min(max(of_two, _LEAST_LEFT * sampled, _LEAST_U), _MOST)
    return level.model_copy(update={"m": m, "u": u})


def _number(numbers: dict[str, Any], name: str, otherwise: float | None) -> float | None:
    """What was estimated; Splink says in words where it saw nothing."""
    value = numbers.get(name)
    return value if isinstance(value, float) and 0 < value < 1 else otherwise


def _compare(db: "DuckDBPyConnection", files: list[str], before: Model, after: Model) -> tuple[int, int, int, int]:
    """Matches of either model, then those of the new one only and of the old one only."""
    from cx360 import matching

    for name, model in (("before", before), ("after", after)):
        matching.match(db, files, model, None)
        db.execute(f"create table {name} as select party_id_a, party_id_b from links where outcome = 'match'")
    ((old, new, both),) = db.execute(
        "select (select count(*) from before), (select count(*) from after),"
        " (select count(*) from before join after using (party_id_a, party_id_b))"
    ).fetchall()
    return old, new, new - both, old - both
