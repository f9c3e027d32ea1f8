"""The bench at toy size: it runs, its contestants did the same work, and the table has every row asked for."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bench import files
from bench.measure import Series, ratios, spread
from cx360.settings import PROJECT


def test_the_transactions_file_is_the_same_every_time_and_has_the_faults_it_says(tmp_path: Path) -> None:
    first, again = (files.transactions(tmp_path / name, 6_000, is_dirty=True).read_text() for name in "ab")
    assert first == again
    lines = first.splitlines()
    assert len(lines) == 1 + 6_000 + 2 * 10, "a row twice and a key twice, ten times each"
    keys = [line.split(",")[0] for line in lines[1:]]
    assert len(set(keys)) == 6_000 and keys != sorted(keys)
    assert sum(",n/a," in line for line in lines) == 10
    assert sum(line.count(",") == 1 for line in lines) == 10


def test_a_ratio_is_of_the_same_round() -> None:
    assert ratios([2.0, 9.0], [1.0, 3.0]) == [2.0, 3.0]
    assert spread([3.0, 1.0, 2.0]) == "2.0 (1.0 to 3.0)"
    assert spread([3.0]) == "3.0"


@pytest.mark.slow
def test_the_bench_runs_and_keeps_its_table(tmp_path: Path) -> None:
    command = (
        "--only landing,dirty,build,one_day,matching,matching_day --rivals duckdb,splink,pandas"
        " --rows 3000 --customers 60 --days 20"
    )
    command += " --records 2000 --runs 1 --folder"
    done = subprocess.run(
        [sys.executable, "-m", "bench", *command.split(), str(tmp_path)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    kept = json.loads((tmp_path / "result.json").read_text())["races"]
    races = {name: {who: Series(**said) for who, said in race.items()} for name, race in kept.items()}
    assert races["landing"]["cx360"].rows == races["landing"]["DuckDB"].rows == 3_000
    assert races["dirty"]["cx360"].rows == 3_000 - 4 * 5, "a row twice and a key twice keep one each"
    build, one_day = races["build"], races["one_day"]
    steps = {step["step"] for step in build["cx360"].steps[-1]}
    assert steps >= {"land transactions", "check_candidate", "publish"}
    assert {step["step"] for step in build["cx360, from the lake"].steps[-1]} < steps
    (tables,) = (step["models"] for step in build["cx360"].steps[-1] if step["step"] == "build_tables")
    assert {"profile", "segments", "cx", "features"} <= set(tables) and min(tables["profile"], tables["cx"]) > 0
    assert build["cx360"].rows > 60 and build["DuckDB"].rows > 50
    assert build["DuckDB"].rows == build["DuckDB, Parquet"].rows == build["pandas, Parquet"].rows
    assert one_day["cx360"].rows == build["cx360"].rows and one_day["DuckDB"].rows > 0
    matched = [races[name]["cx360"].rows for name in ("matching", "matching_day")]
    assert matched[0] == matched[1] > 50
    assert races["matching"]["Splink"].rows == pytest.approx(matched[0], rel=0.02), "rounding may turn one or two"
    assert 0 < races["matching_day"]["Splink"].rows < races["matching"]["Splink"].rows
    for race in races.values():
        for series in race.values():
            assert min(*series.seconds, *series.cpu_seconds) > 0
            assert min(series.peak_mb) > 50
    table = (tmp_path / "result.md").read_text()
    rows = r"^\| (a clean|the same|a bank's|one more day|matching|the delivery's|the candidate's)"
    assert len(re.findall(rows, table, re.MULTILINE)) == 10
    assert str(tmp_path) in done.stdout
    assert not (tmp_path / "work").exists()
