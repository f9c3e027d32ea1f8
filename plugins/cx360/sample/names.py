"""Names of the synthetic bank's people: who is called what, and how somebody else writes it.

Here belong drawing and spelling of names. Lists of names belong in ``words``; which record is misspelt, in
``party_records``.
"""

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from cx360.sample import words
from cx360.sample.bank import Bools, Ints, join, pick, where

if TYPE_CHECKING:
    import pyarrow as pa

ORIGINS = list(words.ORIGINS)
CHINESE = ORIGINS.index("zh")
_GERMAN = ORIGINS.index("de")
_UMLAUTS = {"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss"}
_NO_MARK = {"ı": "i", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D"}  # letters that do not come apart into letter and mark
_KEYBOARD = ["qwertzuiopü", "asdfghjklöä", "yxcvbnm"]
LOST, SWAPPED, DOUBLED, NEIGHBOUR = range(4)


@dataclass(frozen=True)
class Vocabulary:
    """All names, and where those of an origin lie; people carry indexes of it."""

    given: list[str]
    family: list[str]
    given_start: Ints  # by origin and sex (0 women)
    given_count: Ints
    family_start: Ints  # by origin
    common_count: Ints
    rare_count: Ints


@cache
def vocabulary() -> Vocabulary:
    """The names of ``words``; rare German surnames are put together from parts."""
    given: list[str] = []
    family: list[str] = []
    start, count, family_start, common, rare = [], [], [], [], []
    for name, (_, surnames, women, men) in words.ORIGINS.items():
        start.append([len(given), len(given) + len(women)])
        count.append([len(women), len(men)])
        given += women + men
        known = [n.replace("_", " ") for n in surnames]
        parts = [a + b for a in words.SURNAME_STEMS for b in words.SURNAME_ENDINGS] if name == "de" else []
        seldom = [n for n in parts if n not in known]
        family_start.append(len(family))
        common.append(len(known))
        rare.append(len(seldom))
        family += known + seldom
    return Vocabulary(
        given, family, np.array(start), np.array(count), np.array(family_start), np.array(common), np.array(rare)
    )


def draw_given(rng: np.random.Generator, origin: Ints, female: Bools) -> Ints:
    """Given name of each person; some are frequent."""
    words_of = vocabulary()
    sex = (~female).astype(np.int64)
    draw = rng.random(len(origin)) ** 1.3
    return words_of.given_start[origin, sex] + (draw * words_of.given_count[origin, sex]).astype(np.int64)


def draw_family(rng: np.random.Generator, origin: Ints, rare: float) -> Ints:
    """Surname of each person; ``rare`` is the share of Germans who have one of the many that are seldom."""
    words_of, n = vocabulary(), len(origin)
    seldom = (rng.random(n) < rare) & (words_of.rare_count[origin] > 0)
    draw = rng.random(n)
    common = (draw**1.6 * words_of.common_count[origin]).astype(np.int64)
    other = words_of.common_count[origin] + (draw * words_of.rare_count[origin]).astype(np.int64)
    return words_of.family_start[origin] + np.where(seldom, other, common)


def unlike(given: Ints, household: Ints, origin: Ints, female: Bools) -> Ints:
    """Given names with which nobody is called as another of the household is."""
    words_of = vocabulary()
    sex = (~female).astype(np.int64)
    start, count = words_of.given_start[origin, sex], words_of.given_count[origin, sex]
    for _ in range(20):  # a household has few people: a round or two
        again = np.ones(len(given), bool)
        again[np.unique(household * len(words_of.given) + given, return_index=True)[1]] = False
        given = np.where(again, start + (given - start + 1) % count, given)
    return given


def similar(rng: np.random.Generator, n: int) -> tuple[Ints, Ints]:
    """``n`` pairs of names as parents give twins: index of both, as (2, n), and whether each is a woman's."""
    words_of = vocabulary()
    women = set(words.ORIGINS["de"][2])
    index = np.array([[words_of.given.index(a), words_of.given.index(b)] for a, b in words.SIMILAR])
    sex = np.array([[a in women, b in women] for a, b in words.SIMILAR])
    row = rng.integers(0, len(index), n)
    return index[row].T, sex[row].T


def given_text(index: Ints) -> "pa.Array":
    """Given names as written; null where negative."""
    return pick(vocabulary().given, index)


def family_text(index: Ints) -> "pa.Array":
    """Surnames as written; null where negative."""
    return pick(vocabulary().family, index)


# ---- spelling --------------------------------------------------------------------------------------------------------


def _bare(text: "pa.Array") -> "pa.Array":
    """Letters without their marks."""
    import pyarrow.compute as pc

    for letter, plain in _NO_MARK.items():
        text = pc.replace_substring(text, letter, plain)
    return pc.utf8_normalize(pc.replace_substring_regex(pc.utf8_normalize(text, "NFD"), r"\p{Mn}", ""), "NFC")


def plain(text: "pa.Array", two_letters: Bools) -> "pa.Array":
    """Without umlauts and accents: Müller as Mueller where ``two_letters``, else as Muller."""
    import pyarrow.compute as pc

    two = text
    for letter, letters in _UMLAUTS.items():
        two = pc.replace_substring(two, letter, letters)
    return where(two_letters, _bare(two), _bare(pc.replace_substring(text, "ß", "ss")))


def pinyin(text: "pa.Array") -> "pa.Array":
    """Chinese names in Latin letters, as in a passport; others as they are."""
    import pyarrow.compute as pc

    chinese = pc.match_substring_regex(text, r"\p{Han}")
    for character, spelling in words.PINYIN.items():
        text = pc.replace_substring(text, character, spelling)
    return pc.if_else(chinese, pc.utf8_capitalize(text), text)


def latin(text: "pa.Array") -> "pa.Array":
    """Lower case, Latin letters only, as in an e-mail address; each distinct name is worked once."""
    import pyarrow as pa
    import pyarrow.compute as pc

    coded = text.dictionary_encode()
    names = pc.utf8_lower(pinyin(coded.dictionary))
    names = plain(names, np.ones(len(names), bool))
    names = pc.replace_substring_regex(names, "[^a-z]", "")
    return pa.DictionaryArray.from_arrays(coded.indices, names).cast(pa.string())


def nickname(text: "pa.Array") -> "pa.Array":
    """The short form of a given name, the name itself where there is none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    index = pc.index_in(text, pa.array(list(words.NICKNAMES)))
    return pc.coalesce(pa.array(list(words.NICKNAMES.values())).take(index), text)


def initial(text: "pa.Array") -> "pa.Array":
    """``A.`` for Anna; names of one letter or character as they are."""
    import pyarrow.compute as pc

    long_enough = pc.greater(pc.utf8_length(text), 2)
    return pc.if_else(long_enough, join(pc.utf8_slice_codeunits(text, 0, 1), "."), text)


def second_name(rng: np.random.Generator, text: "pa.Array", origin: Ints, female: Bools) -> "pa.Array":
    """With a second given name; German ones only, other languages' names go other ways."""
    other = draw_given(rng, np.full(len(origin), _GERMAN), female)
    return where(origin == _GERMAN, join(text, " ", given_text(other)), text)


def is_german(origin: Ints) -> Bools:
    """Who has names of the German lists."""
    return origin == _GERMAN


@cache
def _neighbours() -> Ints:
    """Key beside each key of a German keyboard, by code point below 256; 0 where there is none."""
    beside = np.zeros(256, np.int64)
    for row in _KEYBOARD:
        for key, other in zip(row, row[1:] + row[-2], strict=True):
            beside[ord(key)] = ord(other)
            if key != "ß":
                beside[ord(key.upper())] = ord(other.upper())
    return beside


def typo(rng: np.random.Generator, text: "pa.Array", kind: Ints) -> "pa.Array":
    """One slip of the fingers in each text: a letter lost, two swapped, one doubled, or the key beside.

    Never at the first letter; texts under three letters stay as they are.
    """
    import pyarrow as pa

    n = len(text)
    if not n:
        return text
    as_numpy = np.array(text.to_pylist(), dtype=np.str_)
    width = max(as_numpy.dtype.itemsize // 4, 1)
    letters = np.zeros((n, width + 1), np.uint32)  # one column more: a doubled letter makes a text longer
    letters[:, :width] = as_numpy.view(np.uint32).reshape(n, width)
    length = (letters != 0).sum(axis=1)
    at = 1 + (rng.random(n) * np.maximum(length - 2, 1)).astype(np.int64)  # so that one more letter follows
    place = np.arange(width + 1)[None, :]
    where_at, kinds = at[:, None], kind[:, None]
    source = place + ((kinds == LOST) & (place >= where_at)) - ((kinds == DOUBLED) & (place > where_at))
    source = source + ((kinds == SWAPPED) & (place == where_at)) - ((kinds == SWAPPED) & (place == where_at + 1))
    source = np.where((length < 3)[:, None], place, source)
    slipped = np.where(source > width, 0, np.take_along_axis(letters, np.minimum(source, width), axis=1))
    key = np.take_along_axis(letters, where_at, axis=1)
    beside = _neighbours()[np.minimum(key, 255)]
    hit = (kinds == NEIGHBOUR) & (place == where_at) & (beside > 0) & (key < 256) & (length >= 3)[:, None]
    slipped = np.ascontiguousarray(np.where(hit, beside, slipped).astype(np.uint32))
    return pa.array(slipped.view(f"<U{width + 1}").reshape(n).tolist(), pa.string())
