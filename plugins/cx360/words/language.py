"""Language: which language a text is in, as far as it matters here: English, Chinese, or neither.

Here belongs a rule of a few lines. Models of language identification were tried and fail on the few words people
write to a bank; what is needed is only to leave alone what cannot be read.
"""

import re

from cx360.words.lexicon import Lexicon

_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
_KANA_OR_HANGUL = re.compile(r"[\u3040-\u30ff\u1100-\u11ff\uac00-\ud7af]")
_WORDS = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")


def language(text: str, lexicon: Lexicon) -> str | None:
    """``en``, ``zh`` or None.

    Chinese are texts of which enough letters are Chinese characters (rule ``least_han_share``) and none is Japanese or
    Korean. English are texts with more common words of English than of any other language, and enough of them (rule
    ``least_common_share``); a word that two languages share tells of both, one with other letters of none.
    """
    letters = sum(map(str.isalpha, text))
    if not letters:
        return None
    han = len(_HAN.findall(text))
    if han >= lexicon.rules["any"]["least_han_share"] * letters:
        return None if _KANA_OR_HANGUL.search(text) else "zh"
    words = [word.replace("’", "'") for word in _WORDS.findall(text.lower())]
    foreign = sum(not word.isascii() for word in words)
    told = {of: sum(word in common for word in words) for of, common in lexicon.common_words.items()}
    english = told.pop("en", 0)
    is_enough = english >= lexicon.rules["any"]["least_common_share"] * len(words)
    return "en" if is_enough and english > max(told.values(), default=0) + foreign else None
