"""Aspects: what a text is about, by the terms of a taxonomy, thought by thought.

Here belongs the finding of terms and the cutting of a text into thoughts. What somebody thinks of an aspect is what the
thought says in which it is named.
"""

import re
from collections.abc import Callable, Iterable

from cx360.words.lexicon import Lexicon

_PAUSES = r"[.!?;,:\n…。！？；，：、]+"

#: A term in English may be in the plural.
_ENDINGS = {"en": "(?:s|es)?"}


def finder(language: str, terms: Iterable[str]) -> re.Pattern[str]:
    """Pattern of some terms of a language in lowercase texts; of overlapping ones the longest. Group 1 is the term."""
    longest_first = sorted(terms, key=lambda term: (-len(term), term))
    any_term = "|".join(map(re.escape, longest_first)) or "(?!)"
    return re.compile(rf"\b({any_term}){_ENDINGS[language]}\b" if language in _ENDINGS else f"({any_term})")


class Aspects:
    """Finds the aspects of texts in one language."""

    def __init__(self, language: str, lexicon: Lexicon) -> None:
        self._aspects = lexicon.aspects.get(language, {})
        self._terms = finder(language, self._aspects)
        turns = "|".join(map(re.escape, lexicon.turning_words.get(language, ())))
        turns = rf"\b(?:{turns})\b" if language in _ENDINGS else turns
        self._breaks = re.compile(f"{_PAUSES}|{turns}" if turns else _PAUSES, re.IGNORECASE)

    def find(self, text: str, feeling: Callable[[str], int], of_all: int) -> dict[str, int]:
        """Aspects named and what is said of each: -1 bad, 0 neither or both, 1 good; sorted by name.

        Args:
            text: the text.
            feeling: tells -1, 0 or 1 of a thought.
            of_all: of the whole text; a thought that shows no feeling is meant as that.
        """
        if not self._terms.search(text.lower()):
            return {}
        told: dict[str, set[int]] = {}
        for thought in self._breaks.split(text):
            if named := {self._aspects[term] for term in self._terms.findall(thought.lower())}:
                felt = feeling(thought) or of_all
                for aspect in named:
                    told.setdefault(aspect, set()).add(felt)
        return {aspect: max(-1, min(1, sum(felt))) for aspect, felt in sorted(told.items())}
