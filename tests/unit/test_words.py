"""Words: languages, moods, aspects and anger of sentences made up here."""

import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from cx360.settings import Settings
from cx360.words.chinese import Chinese
from cx360.words.language import language
from cx360.words.lexicon import load
from cx360.words.reading import Reader, ReadingFailed, _Language, _point

LEXICON = load(Settings())


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader(Settings())


def read(reader: Reader, *texts: str) -> list[dict[str, Any]]:
    return reader.read(pa.chunked_array([pa.array(texts, pa.string())])).to_pylist()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I have been waiting for three weeks and nobody called me back.", "en"),
        ("Great app", "en"),
        ("Café du Nord? I have never been there, and this is not my payment.", "en"),
        ("等了三个星期都没有人回电话。", "zh"),
        ("app 更新以后打不开", "zh"),
        ("I paid 王丽 by transfer and it was quick", "en"),
        ("Ich warte seit drei Wochen und niemand ruft zurück.", None),
        ("Das war gut, danke", None),
        ("Die Karte war so langsam", None),
        ("Llevo tres semanas esperando y nadie me llama", None),
        ("J'attends depuis trois semaines et personne ne rappelle", None),
        ("Aspetto da tre settimane e nessuno mi richiama", None),
        ("Espero há três semanas e ninguém me liga", None),
        ("Ik wacht al drie weken en niemand belt terug", None),
        ("Üç haftadır bekliyorum", None),
        ("三週間も待っていますが、電話がありません", None),
        ("삼 주째 기다리고 있습니다", None),
        ("Жду три недели", None),
        ("Sberkasse Filiale Nord", None),
        ("", None),
        ("  \n", None),
        ("+49 30 1234567, 12,50", None),
        ("👍👍", None),
    ],
)
def test_only_what_is_english_or_chinese_is_read(text: str, expected: str | None) -> None:
    assert language(text, LEXICON) == expected


BAD = [
    "I waited two hours at the branch and was sent away.",
    "They charged me twice and refuse to give the money back.",
    "The app keeps crashing and I cannot log in.",
    "The agent was rude and hung up on me.",
    "在网点排队两个小时，最后被拒绝。",
    "信用卡重复扣款，打客服电话没人接。",
    "手机银行老是闪退，登录不了。",
    "客服态度恶劣，问题没解决。",
]
GOOD = [
    "The adviser was very friendly and explained everything well.",
    "Quick transfer, easy app, thank you!",
    "My card was replaced within a day, great service.",
    "Not bad at all, they are really helpful.",
    "客户经理很耐心，解释得很清楚，谢谢。",
    "转账秒到账，非常方便。",
    "柜员态度很好，办理很快。",
    "问题当天就解决了，很满意。",
]


@pytest.mark.parametrize(("texts", "points"), [(BAD, {1, 2}), (GOOD, {4, 5})], ids=["bad", "good"])
def test_moods_have_the_right_direction(reader: Reader, texts: list[str], points: set[int]) -> None:
    wrong = {text: row["sentiment"] for text, row in zip(texts, read(reader, *texts), strict=True)}
    assert {text: point for text, point in wrong.items() if point not in points} == {}


def test_a_plain_question_of_banking_is_neither_good_nor_bad(reader: Reader) -> None:
    texts = ["Please help me, I would like to share my interest and savings statement.", "When does the branch open?"]
    assert [row["sentiment"] for row in read(reader, *texts)] == [3, 3]


def test_a_denied_word_is_turned_round(reader: Reader) -> None:
    good, bad, zufrieden, unzufrieden = read(reader, "I am happy with it", "I am not happy with it", "满意", "不满意")
    assert good["sentiment_score"] > 3 > bad["sentiment_score"]
    assert zufrieden["sentiment_score"] > 3 > unzufrieden["sentiment_score"]


def test_what_is_said_of_an_aspect_is_told_apart(reader: Reader) -> None:
    english, chinese, plain = read(
        reader,
        "The app is great but I waited forty minutes on hold; the debit cards are fine.",
        "信用卡很方便，但是客服态度差",
        "I was on holiday there",
    )
    told = {each["aspect"]: each["polarity"] for each in english["aspects"]}
    assert told == {"app": 1, "waiting": -1, "card": 1}
    assert {each["aspect"]: each["polarity"] for each in chinese["aspects"]} == {
        "card": 1,
        "contact_centre": -1,
        "staff": -1,
    }
    assert plain["aspects"] == []


def test_what_alerts_watch_is_found_in_both_languages(reader: Reader) -> None:
    said = {
        "fraud": ("Somebody hacked my account.", "我的卡被盗刷了"),
        "data_leak": ("My details were leaked.", "你们泄露了我的信息"),
        "regulator": ("I will write to the ombudsman and to my lawyer.", "我要向银保监投诉"),
    }
    for keyword, texts in said.items():
        for row in read(reader, *texts):
            assert keyword in {each["aspect"] for each in row["aspects"]}, (keyword, row["language"])


def test_a_thought_without_feeling_is_meant_as_the_whole(reader: Reader) -> None:
    [row] = read(reader, "It concerns my mortgage. I am very disappointed.")
    assert row["aspects"] == [{"aspect": "loan", "polarity": -1}]


def test_of_overlapping_terms_the_longest_counts(reader: Reader) -> None:
    [row] = read(reader, "手机银行卡顿")
    assert [each["aspect"] for each in row["aspects"]] == ["app"]


@pytest.mark.parametrize(
    ("text", "is_angry"),
    [
        ("This is unacceptable, I have been lied to.", True),
        ("WHERE IS MY MONEY, THIS IS THE WORST SERVICE", True),
        ("Nobody ever answers the phone!!!", True),
        ("I am disappointed that nobody called me back.", False),
        ("Not ridiculous at all, they were great and I love it!!!", False),
        ("What a great team, thank you!!!", False),
        ("气死我了，这是什么破银行", True),
        ("一直没有人接电话！！！", True),
        ("有点失望，希望改进。", False),
        ("服务非常好！！！", False),
    ],
)
def test_anger_is_more_than_a_bad_mood(reader: Reader, text: str, is_angry: bool) -> None:
    assert read(reader, text)[0]["is_angry"] is is_angry


def test_every_reading_says_what_made_it(reader: Reader) -> None:
    english, chinese, other = read(reader, "I like it", "不错", "Das war nichts")
    assert (english["model_name"], chinese["model_name"]) == ("vaderSentiment", "snownlp")
    assert english["model_version"] == "3.3.2"
    assert chinese["model_version"].startswith("0.12.3, rjieba ")
    assert {row["lexicon_version"] for row in (english, chinese, other)} == {LEXICON.version}
    assert {name: value for name, value in other.items() if value is not None} == {"lexicon_version": LEXICON.version}


def test_texts_are_told_in_their_order_and_once_each(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    read_before, seen = _Language.read, []
    monkeypatch.setattr(_Language, "read", lambda self, text: seen.append(text) or read_before(self, text))
    rows = read(reader, "I like it", "I hate it", "I like it", "我不满意", "I like it")
    assert [row["sentiment"] > 3 for row in rows] == [True, False, True, False, True]
    assert sorted(seen) == sorted({"I like it", "I hate it", "我不满意"})


def test_no_text_gives_an_empty_table(reader: Reader) -> None:
    found = reader.read(pa.chunked_array([], pa.string()))
    assert (found.num_rows, "sentiment" in found.column_names) == (0, True)


def test_an_error_quotes_no_text(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Any, text: str) -> None:
        raise ValueError(text)

    monkeypatch.setattr(_Language, "read", fail)
    with pytest.raises(ReadingFailed) as raised:
        read(reader, "I am Zephyrine Quackenbush and I am not happy")
    assert "ValueError" in str(raised.value)
    assert "Zephyrine" not in "".join(map(str, (raised.value, raised.value.__cause__)))
    assert raised.value.__suppress_context__


@pytest.mark.parametrize(
    ("score", "point"),
    [(1, 1), (1.5, 1), (1.51, 2), (2.5, 2), (2.51, 3), (3.49, 3), (3.5, 4), (4.49, 4), (4.5, 5), (5, 5)],
)
def test_a_score_is_told_as_the_nearest_point(score: float, point: int) -> None:
    assert _point(score) == point


@pytest.mark.parametrize(("language_of", "middle"), [("en", 0.0), ("zh", 0.5)])
def test_scores_rise_with_the_models_and_meet_its_cut_points(language_of: str, middle: float) -> None:
    rules = LEXICON.rules[language_of]

    class Told:
        version = "1"

        def score(self, text: str) -> float:
            return float(text)

    told = _Language(language_of, "told", Told(), LEXICON)
    points = [told._score(str(rules[f"at_{name}"])) for name in ("1", "1_5", "2_5", "3_5", "4_5", "5")]
    assert points == [1, 1.5, 2.5, 3.5, 4.5, 5]
    assert told._score(str(middle)) == 3
    draw = random.Random(1)
    given = sorted(draw.uniform(rules["at_1"] - 0.1, rules["at_5"] + 0.1) for _ in range(200))
    found = [told._score(str(each)) for each in given]
    assert found == sorted(found)


def test_a_word_unknown_to_the_chinese_model_says_nothing() -> None:
    model = Chinese(LEXICON)
    assert model.score("魑魅魍魉饕餮xqzv") == pytest.approx(model.score("魑魅魍魉饕餮"))


def test_the_lexicon_is_the_banks_own_where_it_has_one(tmp_path: Path) -> None:
    seeds = tmp_path / "config" / "dbt_project" / "seeds"
    seeds.mkdir(parents=True)
    (seeds / "text_anger_terms.csv").write_text("language,term\nen,by jove\n")
    own = load(Settings(home=tmp_path))
    assert own.anger == {"en": ("by jove",)}
    assert own.version != LEXICON.version
    assert own.aspects == LEXICON.aspects
