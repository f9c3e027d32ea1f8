"""Anger: whether the person who wrote a text is angry, by terms and by the way of writing.

Here belongs the rule. A text that is not bad on the whole is not angry, whatever words are in it.
"""

import re

from cx360.words.aspects import finder
from cx360.words.lexicon import Lexicon


class Anger:
    """Tells angry texts of one language."""

    def __init__(self, language: str, lexicon: Lexicon) -> None:
        rules = lexicon.rules["any"]
        self._terms = finder(language, lexicon.anger.get(language, ()))
        self._marks = re.compile(rf"[!！]{{{int(rules['anger_exclamation_marks'])},}}")
        self._capitals_share = rules["anger_capitals_share"]
        self._capitals_letters = rules["anger_capitals_letters"]

    def is_in(self, text: str, sentiment: int) -> bool:
        """Whether a text is angry: an angry term in one that is not good, or shouting in one that is bad.

        Args:
            text: the text.
            sentiment: of it, 1 to 5.
        """
        if sentiment > 3:
            return False
        return bool(self._terms.search(text.lower())) or (sentiment < 3 and self._is_shouted(text))

    def _is_shouted(self, text: str) -> bool:
        capitals, smalls = sum(map(str.isupper, text)), sum(map(str.islower, text))
        letters = capitals + smalls
        is_in_capitals = letters >= self._capitals_letters and capitals >= self._capitals_share * letters
        return is_in_capitals or bool(self._marks.search(text))
