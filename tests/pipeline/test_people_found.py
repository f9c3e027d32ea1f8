"""How well people are found on small synthetic banks, whose truth is known; ``python -m bench.people`` at large.

The bounds are those of the definitions, less what so few pairs leave to chance. These seeds chose nothing.
"""

from collections import Counter
from pathlib import Path

import pytest

from bench import people

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Counter[str]]:
    """Pairs over two banks of ten thousand, with many people who have further records."""
    total: dict[str, Counter[str]] = {}
    for seed in (21, 22):
        more = {"people": {"duplicate_record": 0.12}}
        for name, counts in people.pairs(tmp_path_factory.mktemp("bank") / "b", seed, 10_000, settings=more).items():
            total.setdefault(name, Counter()).update(counts)
    return total


def test_hardly_a_merge_is_wrong_and_few_are_missed(found: dict[str, Counter[str]]) -> None:
    n = found["cx360"]
    assert n["pairs"] > 2000 and n["inexact_pairs"] > 0.3 * n["pairs"]
    assert n["right_pairs"] / (n["right_pairs"] + n["wrong_pairs"]) >= 0.998
    assert n["right_pairs"] / n["pairs"] >= 0.965


def test_weighing_finds_what_shares_no_identifier(found: dict[str, Counter[str]]) -> None:
    ours, rules = found["cx360"], found["its deterministic rules alone"]
    assert ours["right_inexact_pairs"] > 0.9 * ours["inexact_pairs"]
    assert rules["right_inexact_pairs"] < 0.1 * rules["inexact_pairs"]
    assert rules["wrong_pairs"] == 0


def test_twins_and_namesakes_stay_apart(found: dict[str, Counter[str]]) -> None:
    n = found["cx360"]
    assert n["alike_people"] > 300
    assert n["wrong_alike_pairs"] <= 2


def test_calls_and_app_events_are_seldom_anothers(tmp_path: Path) -> None:
    of = people.events(tmp_path / "b", 23, 1500)
    for name, least in {"app events": 0.99, "calls": 0.85}.items():
        n = of[name]
        assert n["right_events"] + n["wrong_events"] + n["open_events"] == n["events"] > 500
        assert n["wrong_events"] <= 0.001 * n["events"] + 1
        assert n["right_events"] >= least * n["events"]
