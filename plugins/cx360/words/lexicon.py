"""Lexicon: the word lists and figures by which texts are read, as the seeds have them.

Here belongs the loading of the seeds ``text_*`` and their version. What is done with them is the other modules'.
"""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from cx360 import versions
from cx360.settings import Settings

_T = TypeVar("_T")

_SEEDS = ("text_rules", "text_words", "text_lexicon", "text_aspect_terms", "text_anger_terms")


@dataclass(frozen=True)
class Lexicon:
    """What the seeds say, by language.

    Attributes:
        version: hash of the seeds.
        rules: figures by language (``any``: of all) and name of the rule.
        common_words: words that tell which language a text is in.
        turning_words: words that begin a new thought.
        valences: what banking terms tell, from -4 to 4, beside what the language's model knows.
        aspects: aspect by term.
        anger: terms of angry people.
    """

    version: str
    rules: Mapping[str, Mapping[str, float]]
    common_words: Mapping[str, frozenset[str]]
    turning_words: Mapping[str, tuple[str, ...]]
    valences: Mapping[str, Mapping[str, float]]
    aspects: Mapping[str, Mapping[str, str]]
    anger: Mapping[str, tuple[str, ...]]


def load(settings: Settings) -> Lexicon:
    """The lexicon in force: the bank's own seeds below ``home/config`` where there are some, else the shipped ones."""
    texts = {name: settings.overlay(f"dbt_project/seeds/{name}.csv").read_text(encoding="utf-8") for name in _SEEDS}
    rows = {name: list(csv.DictReader(text.splitlines())) for name, text in texts.items()}
    words = rows["text_words"]
    return Lexicon(
        version=versions.of_texts(texts.values())[:16],
        rules=_by_language((row["language"], row["rule"], float(row["value"])) for row in rows["text_rules"]),
        common_words={of: frozenset(terms) for of, terms in _terms(words, "common").items()},
        turning_words=_terms(words, "turn"),
        valences=_by_language((row["language"], row["term"], float(row["valence"])) for row in rows["text_lexicon"]),
        aspects=_by_language((row["language"], row["term"], row["aspect"]) for row in rows["text_aspect_terms"]),
        anger=_terms(rows["text_anger_terms"]),
    )


def _terms(rows: Iterable[dict[str, str]], use: str | None = None) -> dict[str, tuple[str, ...]]:
    """Terms by language, of one use where there are several."""
    listed = ((row["language"], row["term"], None) for row in rows if row.get("use") == use)
    return {language: tuple(terms) for language, terms in _by_language(listed).items()}


def _by_language(rows: Iterable[tuple[str, str, _T]]) -> dict[str, dict[str, _T]]:
    found: dict[str, dict[str, _T]] = {}
    for language, name, value in rows:
        found.setdefault(language, {})[name] = value
    return found
