"""``python -m bench``: run the rows asked for, print one table, keep it as Markdown and JSON."""

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from bench import files, measure, parties
from bench.measure import Series, ratios, spread

Row = dict[str, str]

RIVALS = ("duckdb", "dlt", "splink", "polars", "pandas", "pyspark")

#: What of a build is beside rivals that begin with Parquet files.
FROM_LAKE = "cx360, from the lake"

#: Days of the short history that one more day is compared with.
SHORT = 30


def main() -> None:
    """Run the bench."""
    options = _options()
    folder = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    found: dict[str, dict[str, Series]] = {}
    for name in options.only:
        _say(f"{name}: {WHAT[name][0]}")
        found[name] = WHAT[name][1](options, folder)
    table = _table(options, found)
    text = f"{_machine()}\n\n{_markdown(table)}{_steps(found)}"
    (folder / "result.md").write_text(text)
    kept = {name: {who: asdict(series) for who, series in race.items()} for name, race in found.items()}
    (folder / "result.json").write_text(json.dumps({"machine": _machine(), "races": kept}, indent=1))
    print(f"\n{text}\nKept in {folder}/result.md and result.json")


def landing(options: argparse.Namespace, folder: Path, is_dirty: bool = False) -> dict[str, Series]:
    """Landing of one file beside a bare copy of it."""
    file = files.transactions(folder / "files", options.rows, is_dirty)
    rivals = [measure.plain("duckdb_copy")] if "duckdb" in options.rivals else []
    rivals += [measure.dlt(options.other)] if "dlt" in options.rivals else []
    return measure.race([measure.cx360("land"), *rivals], options.runs, folder / "work", _say, file=str(file))


def dirty(options: argparse.Namespace, folder: Path) -> dict[str, Series]:
    """The same of a file with faults."""
    return landing(options, folder, is_dirty=True)


def build(options: argparse.Namespace, folder: Path) -> dict[str, Series]:
    """Every step over a whole bank beside scripts that only aggregate thirty columns per customer."""
    bank = files.bank(folder / "files", options.customers, options.days)
    rivals = [measure.plain("duckdb_profiles"), measure.plain("duckdb_parquet", "DuckDB, Parquet")]
    rivals = rivals if "duckdb" in options.rivals else []
    for name, python in (("polars", options.other), ("pandas", sys.executable), ("pyspark", sys.executable)):
        rivals += [measure.other(f"{name}, Parquet", python, name)] if name in options.rivals else []
    arguments = {"bank": str(bank), "parquet": str(files.parquet(bank))}
    race = measure.race([measure.cx360("build"), *rivals], options.runs, folder / "work", _say, **arguments)
    return race | {FROM_LAKE: race["cx360"].without(_is_before_the_lake)}


def one_day(options: argparse.Namespace, folder: Path) -> dict[str, Series]:
    """A day's files into a bank with a history, beside one query over them and the same with a short history."""
    contestants = [measure.cx360("one_day")]
    contestants += [measure.plain("duckdb_day")] if "duckdb" in options.rivals else []
    arguments = {"bank": str(files.bank(folder / "files", options.customers, options.days))}
    if options.days > SHORT:
        contestants.append(measure.short("one_day_short"))
        arguments["short_bank"] = str(files.bank(folder / "files", options.customers, SHORT))
    return measure.race(contestants, options.runs, folder / "work", _say, **arguments)


def day(options: argparse.Namespace, folder: Path) -> dict[str, Series]:
    """A small bank's day by Airflow beside the same steps in one process: what is left is Airflow's own share."""
    bank = files.bank(folder / "files", 500, 90)
    rivals = [measure.cx360("day_in_airflow"), measure.in_process("day")]
    return measure.race(rivals, options.runs, folder / "work", _say, bank=str(bank))


def matching(options: argparse.Namespace, folder: Path, day: str = "") -> dict[str, Series]:
    """Matching of all party records beside Splink's prediction alone, from the same features."""
    home = parties.home(folder / "files", options.records)
    rivals = [measure.splink(f"splink{day}")] if "splink" in options.rivals else []
    arguments = {"home": str(home), "records": options.records}
    return measure.race([measure.cx360(f"match{day}"), *rivals], options.runs, folder / "work", _say, **arguments)


def matching_day(options: argparse.Namespace, folder: Path) -> dict[str, Series]:
    """The same of ten thousand new records."""
    return matching(options, folder, day="_day")


WHAT: dict[str, tuple[str, Callable[[argparse.Namespace, Path], dict[str, Series]]]] = {
    "landing": ("a clean CSV file of transactions into the lake", landing),
    "dirty": ("the same with faults in 1 % of its rows", dirty),
    "build": ("a bank's files to its publication", build),
    "one_day": ("one more day of it", one_day),
    "day": ("a day of a bank of 500 customers by Airflow", day),
    "matching": ("matching of all party records", matching),
    "matching_day": ("matching of ten thousand new party records", matching_day),
}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--only", type=_names(WHAT), default=list(WHAT), help="rows to run, by commas")
    parser.add_argument("--rivals", type=_names(RIVALS), default=list(RIVALS), help="by commas")
    parser.add_argument("--rows", type=int, default=5_000_000, help="of the transactions file")
    parser.add_argument("--customers", type=int, default=100_000, help="of the bank")
    parser.add_argument("--days", type=int, default=365, help="of the bank")
    parser.add_argument("--records", type=int, default=1_000_000, help="of parties")
    parser.add_argument("--runs", type=int, default=3, help="rounds")
    parser.add_argument("--folder", type=Path, default=Path("build/bench"), help="where files and results are kept")
    parser.add_argument("--other", default="build/bench/venv/bin/python", help="Python that has dlt and Polars")
    return parser.parse_args()


def _names(known: Any) -> Callable[[str], list[str]]:
    def names(text: str) -> list[str]:
        asked = [name for name in text.split(",") if name]
        if unknown := set(asked) - set(known):
            raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))}: known are {', '.join(known)}")
        return asked or list(known)

    return names


def _table(options: argparse.Namespace, found: dict[str, dict[str, Series]]) -> list[Row]:
    table = []
    for name, race in found.items():
        bank = f", {options.customers:,} customers, {options.days} days"
        sizes = {"build": bank, "one_day": bank, "day": ""}
        sizes |= {"matching": f", {options.records:,} records", "matching_day": f" against {options.records:,}"}
        size = sizes.get(name, f", {options.rows:,} rows")
        for who in race:
            if who != FROM_LAKE and (who != "cx360" or len(race) == 1):
                mine = FROM_LAKE if who.endswith("Parquet") else "cx360"
                what = WHAT[name][0] + (", from the lake" if mine == FROM_LAKE else "") + size
                table.append(_row(what, race[mine], who, race[who]))
    return table + _gates(found)


def _gates(found: dict[str, dict[str, Series]]) -> list[Row]:
    """What gates cost beside what they guard, in the last round."""
    table = []
    for name, gate, what, beside in (
        ("landing", "check", "the delivery's gate", "its landing"),
        ("build", "check_candidate", "the candidate's gate", "the whole way"),
    ):
        if name in found:
            steps = {step["step"]: step["seconds"] for step in found[name]["cx360"].steps[-1]}
            whole = steps["land"] if name == "landing" else sum(steps.values())
            seconds = f"{steps[gate]:.1f} / {whole:.1f}"
            table.append({"what": what, "beside": beside, "ratio": f"{steps[gate] / whole:.2f}", "seconds": seconds})
    return table


def _row(what: str, mine: Series, who: str, rival: Series) -> Row:
    return {
        "what": what,
        "beside": who,
        "ratio": spread(ratios(mine.seconds, rival.seconds)),
        "ratio, processor": spread(ratios(mine.cpu_seconds, rival.cpu_seconds)),
        "seconds": f"{spread(mine.seconds)} / {spread(rival.seconds)}",
        "peak MB": f"{median(mine.peak_mb):.0f} / {median(rival.peak_mb):.0f}",
        "rows": f"{mine.rows:,} / {rival.rows:,}",
    }


def _markdown(table: list[Row]) -> str:
    """A table whose first row has every column."""
    heads = list(table[0])
    lines = [heads, ["---"] * len(heads), *([row.get(head, "") for head in heads] for row in table)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _steps(found: dict[str, dict[str, Series]]) -> str:
    """Seconds and peak memory of the steps of each bank's way, of the last round."""
    text = ""
    for name in [name for name in ("build", "one_day") if name in found]:
        for who in [who for who in found[name] if who.startswith("cx360") and who != FROM_LAKE]:
            table = [
                {
                    f"{name}, {who}": step["step"],
                    "seconds": f"{step['seconds']:.1f}",
                    "of processor": f"{step['cpu_seconds']:.1f}",
                    "peak MB": f"{step['peak_mb']:.0f}",
                    "its models' seconds, several at once": _parts(step.get("models", {})),
                }
                for step in found[name][who].steps[-1]
            ]
            text += "\n" + _markdown(table)
    return text


def _parts(seconds: dict[str, float]) -> str:
    return ", ".join(f"{folder} {spent:.1f}" for folder, spent in seconds.items())


def _is_before_the_lake(step: str) -> bool:
    return step.startswith("land ") or step in ("check", "close_day")


def _machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    load = os.getloadavg()[0]
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}"
        f" {platform.machine()}, Python {platform.python_version()}; load when it ended {load:.1f}"
    )


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
