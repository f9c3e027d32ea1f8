"""Chinese: sentiment by the naive Bayes model that comes with snownlp, over the words that rjieba finds.

Here belongs the model's arithmetic. Its file is read from the package without importing that: it would load 430 MB of
a segmenter that takes a hundredth of a second for a short text, where rjieba takes a hundred-thousandth.

The model was made from reviews of shops and hotels, so in a bank it only gives a hint: seed ``text_lexicon`` says what
banking terms tell, and rule ``log_odds_limit`` bounds what the model may say against them.
"""

import re
from math import exp, log

from cx360.words.lexicon import Lexicon

MODEL = "snownlp"
_SEGMENTER = "rjieba"


class Chinese:
    """The model with the bank's terms."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._limit = lexicon.rules["zh"]["log_odds_limit"]
        self._valences = lexicon.valences.get("zh", {})
        longest_first = sorted(self._valences, key=len, reverse=True)
        self._terms = re.compile("|".join(map(re.escape, longest_first)) or "(?!)")
        self._prior, self._words = _model()

    @property
    def version(self) -> str:
        """Of the model and of what cuts texts into its words."""
        from importlib.metadata import version

        return f"{version(MODEL)}, {_SEGMENTER} {version(_SEGMENTER)}"

    def score(self, text: str) -> float:
        """Probability that a text is a good word, from 0 to 1.

        Its log odds are the model's, within the limit, and the valences of the banking terms found. A word the model
        does not know says nothing.
        """
        import rjieba

        odds = self._prior + sum(self._words.get(word, 0.0) for word in rjieba.cut(text))
        odds = max(-self._limit, min(self._limit, odds))
        odds += sum(self._valences[term] for term in self._terms.findall(text))
        return 1 / (1 + exp(-odds))


def _model() -> tuple[float, dict[str, float]]:
    """Log odds of good against bad: of any text, and by word.

    Counts are one too high already, Laplace's rule (Manning, Raghavan, Schütze 2008, section 13.2).
    """
    import gzip
    import marshal
    from importlib.metadata import files

    [path] = [path for path in files(MODEL) or () if path.match("sentiment/sentiment.marshal.3")]
    counted = marshal.loads(gzip.decompress(path.read_binary()))["d"]
    good, bad = counted["pos"], counted["neg"]
    prior = log(good["total"] / bad["total"])
    words = {
        word: log(good["d"].get(word, 1) / bad["d"].get(word, 1)) - prior for word in good["d"].keys() | bad["d"].keys()
    }
    return prior, words
