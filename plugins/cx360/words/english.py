"""English: sentiment by VADER (Hutto and Gilbert, ICWSM 2014), a lexicon with rules for negation, emphasis and smileys.

Here belongs the call of the library. Seed ``text_lexicon`` says what banking terms tell, and that some words VADER has
feelings for are plain words in a bank.
"""

import re

from cx360.words.lexicon import Lexicon

MODEL = "vaderSentiment"


class English:
    """VADER with the bank's terms."""

    def __init__(self, lexicon: Lexicon) -> None:
        from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

        valences = lexicon.valences.get("en", {})
        self._analyzer = SentimentIntensityAnalyzer()
        self._analyzer.lexicon.update({_joined(term): valence for term, valence in valences.items()})
        phrases = sorted((term for term in valences if " " in term), key=len, reverse=True)
        self._phrases = re.compile(rf"\b(?:{'|'.join(map(re.escape, phrases)) or '(?!)'})\b", re.IGNORECASE)

    @property
    def version(self) -> str:
        """Of the model."""
        from importlib.metadata import version

        return version(MODEL)

    def score(self, text: str) -> float:
        """VADER's compound score, from -1 to 1. Terms of several words count as one word."""
        text = self._phrases.sub(lambda found: _joined(found[0]), text.replace("’", "'"))
        return float(self._analyzer.polarity_scores(text)["compound"])


def _joined(term: str) -> str:
    return term.replace(" ", "_").replace("'", "")  # VADER takes n't for a denial of what follows
