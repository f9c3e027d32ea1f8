"""Columns of customer_profile say what they are: unit, window and labels, in the YAML beside their description."""

import re
from collections import Counter
from typing import Any

import pytest
import yaml

from cx360.warehouse import DBT_PROJECT

COLUMNS: list[dict[str, Any]] = yaml.safe_load(
    (DBT_PROJECT / "models" / "profile" / "customer_profile.yml").read_text(encoding="utf-8")
)["models"][0]["columns"]

#: What the end of a name promises, the longest first, and the data type and unit that keep the promise.
SUFFIXES = {
    "_trend": ("double", "change"),
    "_count": ("bigint", "count"),
    "_amount": ("decimal(18, 2)", "amount"),
    "_seconds": ("bigint", "seconds"),
    "_days": ("double", "days"),
    "_share": ("double", "share"),
    "_score": ("double", "score"),
    "_index": ("double", "index"),
    "_date": ("date", "date"),
    "_at": ("timestamp with time zone", "timestamp"),
    "_id": ("varchar", "id"),
}
#: Units of names without such an end.
OTHERS = {"category", "code", "list", "year", "count"}
WINDOW = re.compile(r"_(\d+[dm]|lifetime)(?=_|$)")


def problems(column: dict[str, Any]) -> list[str]:
    """What is wrong with a column's metadata, in words."""
    name, meta = column["name"], column.get("config", {}).get("meta", {})
    missing = [key for key in ("unit", "window", "label_en", "label_zh") if not meta.get(key)]
    if missing:
        return [f"{name} has no {key}" for key in missing]
    found = []
    told = WINDOW.findall(name)
    if told and told != [meta["window"]]:
        found.append(f"{name} does not speak of {meta['window']}")
    if not re.fullmatch(r"as_of|lifetime|\d+[dm]", meta["window"]):
        found.append(f"{name} has no such window as {meta['window']}")
    if not re.search(r"[\u4e00-\u9fff]", meta["label_zh"]) or re.search(r"[\u4e00-\u9fff]", meta["label_en"]):
        found.append(f"a label of {name} is in another language")
    promise = next((SUFFIXES[end] for end in SUFFIXES if name.endswith(end)), None)
    if name.startswith(("is_", "has_")):
        promise = ("boolean", "flag")
    if promise and promise != (column["data_type"], meta["unit"]):
        found.append(f"{name} promises {promise}")
    if not promise and meta["unit"] not in OTHERS:
        found.append(f"{name} does not say that it is a {meta['unit']}")
    return found


def test_every_column_has_a_unit_a_window_and_labels() -> None:
    assert [problem for column in COLUMNS for problem in problems(column)] == []


@pytest.mark.parametrize("language", ["label_en", "label_zh"])
def test_labels_are_unique(language: str) -> None:
    labels = Counter(column["config"]["meta"][language] for column in COLUMNS)
    assert [label for label, times in labels.items() if times > 1] == []


def test_every_column_is_described() -> None:
    assert [column["name"] for column in COLUMNS if len(column.get("description", "")) < 10] == []


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("call_90d_count", {"window": "30d"}),
        ("call_90d_count", {"unit": "amount"}),
        ("call_lifetime_count", {"window": "as_of"}),
        ("aum_12m_mean_amount", {"window": "90d"}),
        ("is_maturing_90d", {"window": "as_of"}),
        ("is_vip", {"unit": "count"}),
        ("city", {"unit": "amount"}),
        ("city", {"window": "always"}),
        ("city", {"label_zh": "Town"}),
        ("city", {"label_en": ""}),
    ],
)
def test_what_does_not_agree_is_found_out(name: str, changed: dict[str, str]) -> None:
    meta = {"unit": "count", "window": "90d", "label_en": "Calls", "label_zh": "来电次数"}
    kinds = {"is": "flag", "city": "category", "aum": "amount"}
    types = {"is": "boolean", "city": "varchar", "aum": "decimal(18, 2)"}
    first = name.split("_")[0]
    meta |= {"unit": kinds.get(first, "count"), "window": (WINDOW.findall(name) or ["as_of"])[0]}
    column = {"name": name, "data_type": types.get(first, "bigint"), "config": {"meta": meta}}
    assert problems(column) == []
    assert problems(column | {"config": {"meta": meta | changed}}) != []
