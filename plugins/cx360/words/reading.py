"""Reading: a text becomes its language, sentiment, anger and aspects. The one interface to whatever reads them.

Here belongs what is the same for every language: each distinct text once, the scale from 1 to 5, versions, and that no
error quotes a text.
"""

from bisect import bisect_right
from collections.abc import Callable
from math import floor
from typing import TYPE_CHECKING, Any, Protocol

from cx360 import versions
from cx360.settings import Settings
from cx360.words.lexicon import Lexicon, load

if TYPE_CHECKING:
    import pyarrow as pa

#: Goes into the version of a reading: raise it when this package reads otherwise.
VERSION = 1


class ReadingFailed(Exception):
    """A text could not be read; the message quotes none."""


class Model(Protocol):
    """Sentiment in one language."""

    @property
    def version(self) -> str:
        """Of the model."""

    def score(self, text: str) -> float:
        """Of a text, on the model's own scale."""


class Reader:
    """Reads texts by the models and seeds in force. A language's model is loaded with its first text."""

    def __init__(self, settings: Settings) -> None:
        from cx360.words import chinese, english

        self._lexicon = load(settings)
        self._models: dict[str, tuple[str, Callable[[Lexicon], Model]]] = {
            "en": (english.MODEL, english.English),
            "zh": (chinese.MODEL, chinese.Chinese),
        }
        self._languages: dict[str, _Language] = {}

    @property
    def version(self) -> str:
        """Hash of all a reading is a function of, beside the text."""
        from importlib.metadata import version

        parts = (f"{name} {version(name)}" for name in ("vaderSentiment", "snownlp", "rjieba"))
        return versions.of_texts((f"reading {VERSION}", f"lexicon {self._lexicon.version}", *parts))[:16]

    def read(self, texts: "pa.ChunkedArray") -> "pa.Table":
        """What texts say, in their order.

        Returns:
            language (en, zh or null), sentiment_score (1 to 5, 4 digits), sentiment (1 to 5), is_angry, aspects (a list
            of aspect and polarity), model_name, model_version; null where the language is. lexicon_version in all.

        Raises:
            ReadingFailed: says what kind of error it was.
        """
        import pyarrow as pa

        coded = texts.combine_chunks().dictionary_encode()
        try:
            rows = [self._row(text) for text in coded.dictionary.to_pylist()]
        except Exception as error:  # whatever a library says may quote what it was given
            raise ReadingFailed(
                f"a text could not be read ({type(error).__name__}). If seeds text_* are your own, compare them with"
                " the shipped ones; else it is a fault of cx360"
            ) from None
        return pa.Table.from_pylist(rows, schema=_schema()).take(coded.indices)

    def _row(self, text: str) -> dict[str, Any]:
        from cx360.words.language import language

        told = language(text, self._lexicon)
        versions_of_all = {"language": told, "lexicon_version": self._lexicon.version}
        if told is None:
            return versions_of_all
        if told not in self._languages:
            name, model = self._models[told]
            self._languages[told] = _Language(told, name, model(self._lexicon), self._lexicon)
        return versions_of_all | self._languages[told].read(text)


class _Language:
    """What reads texts of one language."""

    def __init__(self, language: str, model_name: str, model: Model, lexicon: Lexicon) -> None:
        from cx360.words.anger import Anger
        from cx360.words.aspects import Aspects

        rules = lexicon.rules[language]
        self._cuts = [rules[name] for name in ("at_1", "at_1_5", "at_2_5", "at_3_5", "at_4_5", "at_5")]
        self._model = model
        self._aspects, self._anger = Aspects(language, lexicon), Anger(language, lexicon)
        self._versions = {"model_name": model_name, "model_version": model.version}

    def read(self, text: str) -> dict[str, Any]:
        """A row of ``Reader.read``."""
        score = self._score(text)
        sentiment = _point(score)
        aspects = self._aspects.find(text, self._feeling, _sign(sentiment))
        return {
            "sentiment_score": score,
            "sentiment": sentiment,
            "is_angry": self._anger.is_in(text, sentiment),
            "aspects": [{"aspect": aspect, "polarity": polarity} for aspect, polarity in aspects.items()],
            **self._versions,
        }

    def _feeling(self, thought: str) -> int:
        return _sign(_point(self._score(thought)))

    def _score(self, text: str) -> float:
        """From 1 to 5: straight between the model's scores at which one point gives way to the next."""
        given = min(max(self._model.score(text), self._cuts[0]), self._cuts[-1])
        place = min(bisect_right(self._cuts, given), len(self._cuts) - 1)
        low, high = self._cuts[place - 1], self._cuts[place]
        here, there = _SCALE[place - 1], _SCALE[place]
        return round(here + (there - here) * (given - low) / (high - low), 4)


#: The points of the scale that the model's six scores of the rules stand for.
_SCALE = (1.0, 1.5, 2.5, 3.5, 4.5, 5.0)


def _point(score: float) -> int:
    """The nearest point of the scale; of two the one farther from its middle."""
    distance = floor(abs(score - 3) + 0.5)
    return 3 + distance if score > 3 else 3 - distance


def _sign(sentiment: int) -> int:
    return (sentiment > 3) - (sentiment < 3)


def _schema() -> "pa.Schema":
    import pyarrow as pa

    aspect = pa.struct([("aspect", pa.string()), ("polarity", pa.int64())])
    return pa.schema(
        [
            ("language", pa.string()),
            ("sentiment_score", pa.float64()),
            ("sentiment", pa.int64()),
            ("is_angry", pa.bool_()),
            ("aspects", pa.list_(aspect)),
            ("model_name", pa.string()),
            ("model_version", pa.string()),
            ("lexicon_version", pa.string()),
        ]
    )
